/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of this folder does before its first call of libsodium. */
#ifndef CRYPTO_SETUP_H
#define CRYPTO_SETUP_H

/* Let libsodium choose its kernels for this processor; from any thread, any number of times. */
void setup_sodium(void);

#endif
