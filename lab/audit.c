/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/audit.h"

#include "lab/commands.h"

enum exit_code audit_command(int argc, char **argv)
{
    static const struct command table[] = {
        {"bound", "a lower bound on epsilon from an attack's counts", audit_bound},
        {"inversion", "pictures of records from what a site sends", audit_inversion},
        {"canary", "one run of a study with records that a coin put in", audit_canary},
        {"mia", "membership inference against a model, with references", audit_mia},
        {"mechanism", "one release of a study, attacked with canaries", audit_mechanism},
        {"verify", "whether what the parties of a study kept holds and agrees", audit_verify},
    };
    static const char examples[] =
        "  veilsum-lab audit bound --method one-run --canaries 1000 --guesses 100 --correct 90 "
        "--delta 1e-5\n"
        "  veilsum-lab audit mechanism --study study.yaml\n"
        "  veilsum-lab audit verify coordinator.evidence st-anna.evidence uni-klinik.evidence\n";
    return command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
