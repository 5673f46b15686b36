/* SPDX-License-Identifier: Apache-2.0 */
/* The audits of veilsum-lab audit; each returns an exit code of base/command.h. */
#ifndef LAB_AUDIT_H
#define LAB_AUDIT_H

#include "base/command.h"

enum exit_code audit_bound(int argc, char **argv);
enum exit_code audit_inversion(int argc, char **argv);
enum exit_code audit_canary(int argc, char **argv);
enum exit_code audit_mia(int argc, char **argv);
enum exit_code audit_mechanism(int argc, char **argv);
enum exit_code audit_verify(int argc, char **argv);

#endif
