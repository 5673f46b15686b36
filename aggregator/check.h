/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AGGREGATOR_CHECK_H
#define AGGREGATOR_CHECK_H

#include "base/command.h"

/* `check`: read a study file and print what follows from it, before anybody is enrolled. */
enum exit_code check_command(int argc, char **argv);

#endif
