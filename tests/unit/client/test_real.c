/* SPDX-License-Identifier: Apache-2.0 */
/* Real files: Fashion-MNIST of Debian's dataset-fashion-mnist, and MedMNIST's npz files where the
 * environment names their folder. Skipped when there is neither. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/data/data.h"
#include "tests/lib/check.h"

#define FASHION "/usr/share/datasets/fashion-mnist/"

static void fashion_mnist_is_read(void)
{
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    CHECK_OK(idx_read(&data, FASHION "t10k-images-idx3-ubyte.gz",
                      FASHION "t10k-labels-idx1-ubyte.gz", &why));
    CHECK_NUMBER(10000, data.n);
    CHECK_NUMBER(784, dataset_floats(&data));
    CHECK_NUMBER(10, data.classes);
    size_t held[10] = {0};
    for (size_t i = 0; i < data.n; i++) held[data.label[i]]++;
    for (size_t k = 0; k < 10; k++) CHECK_NUMBER(1000, held[k]);
}

/* Sizes and numbers of label 1 are those that MedMNIST v2 publishes for its splits. */
static void check_medmnist(const char *file, const char *split, size_t n, size_t positive)
{
    char path[4096] = {0};
    int bytes = snprintf(path, sizeof path, "%s/%s", getenv("VEILSUM_DATA"), file);
    REQUIRE(bytes > 0 && bytes < (int)sizeof path);
    AUTO(dataset_free) struct dataset data = {0};
    struct data_error why = {0};
    CHECK_OK(npz_read(&data, path, split, &why));
    CHECK_NUMBER(n, data.n);
    CHECK_NUMBER(2, data.classes);
    CHECK_NUMBER(784, dataset_floats(&data));
    size_t ones = 0;
    for (size_t i = 0; i < data.n; i++) ones += data.label[i];
    CHECK_NUMBER(positive, ones);
}

static void medmnist_is_read(void)
{
    check_medmnist("breastmnist/breastmnist.npz", "train", 546, 399);
    check_medmnist("breastmnist/breastmnist.npz", "val", 78, 57);
    check_medmnist("breastmnist/breastmnist.npz", "test", 156, 114);
    check_medmnist("pneumoniamnist/pneumoniamnist_recon.npz", "train", 4708, 3494);
    check_medmnist("pneumoniamnist/pneumoniamnist_recon.npz", "val", 524, 389);
    check_medmnist("pneumoniamnist/pneumoniamnist_recon.npz", "test", 624, 390);
}

int main(void)
{
    bool fashion = access(FASHION, R_OK) == 0;
    bool medmnist = getenv("VEILSUM_DATA") != NULL;
    if (!fashion && !medmnist) {
        printf("skipped: install dataset-fashion-mnist or set VEILSUM_DATA\n");
        return 77;
    }
    if (fashion) RUN(fashion_mnist_is_read);
    if (medmnist) RUN(medmnist_is_read);
    return check_done();
}
