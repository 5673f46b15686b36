/* SPDX-License-Identifier: Apache-2.0 */
/* Subcommands of veilsum-lab; each returns an exit code of base/command.h. */
#ifndef LAB_COMMANDS_H
#define LAB_COMMANDS_H

#include "base/command.h"

enum exit_code audit_command(int argc, char **argv);
enum exit_code demo_command(int argc, char **argv);
enum exit_code dp_command(int argc, char **argv);
enum exit_code export_command(int argc, char **argv);
enum exit_code init_command(int argc, char **argv);
enum exit_code pretrain_command(int argc, char **argv);
enum exit_code report_command(int argc, char **argv);
enum exit_code rerun_command(int argc, char **argv);
enum exit_code simulate_command(int argc, char **argv);
enum exit_code status_command(int argc, char **argv);
enum exit_code sweep_command(int argc, char **argv);
enum exit_code weights_command(int argc, char **argv);

#endif
