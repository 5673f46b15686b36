/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab: researcher, auditor, demonstration. */
#include <argp.h>

#include "base/command.h"
#include "lab/commands.h"

int main(int argc, char **argv)
{
    static const struct command table[] = {
        {"audit", "lower bounds on epsilon from attacks", audit_command},
        {"demo", "a whole study on this machine, with crashes", demo_command},
        {"dp", "what noise costs in privacy, and how much a study needs", dp_command},
        {"export", "write a study's weights as safetensors", export_command},
        {"init", "draw the initial weights of a study", init_command},
        {"pretrain", "train a backbone or a start on public data", pretrain_command},
        {"report", "a page about a sweep's runs, or about audits", report_command},
        {"rerun", "a run of a sweep again, and whether it gives the same bits", rerun_command},
        {"simulate", "a study over parts of a data set, in one process", simulate_command},
        {"status", "how a sweep stands", status_command},
        {"sweep", "many simulations over a grid, resumable", sweep_command},
        {"weights", "show what a safetensors file holds, and its hash", weights_command},
    };
    static const char examples[] = "  veilsum-lab demo\n"
                                   "  veilsum-lab demo --format json --baseline\n"
                                   "  veilsum-lab init --study study.yaml --out initial.state\n"
                                   "  veilsum-lab dp epsilon --mechanism gaussian "
                                   "--noise-multiplier 4 --compositions 30 --delta 1e-5\n"
                                   "  veilsum-lab audit bound --method one-run --canaries 1000 "
                                   "--guesses 200 --correct 130 --delta 1e-5\n";
    argp_err_exit_status = EXIT_USAGE;
    return (int)command_main(argc, argv, examples, table, sizeof table / sizeof *table);
}
