/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands of veilsum-lab; each returns an exit code of base/command.h. */
#ifndef LAB_COMMANDS_H
#define LAB_COMMANDS_H

int demo_command(int argc, char **argv);
int init_command(int argc, char **argv);

#endif
