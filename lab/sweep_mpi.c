/* SPDX-License-Identifier: Apache-2.0 */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "lab/ranks.h"

enum { TAG_ASK = 1, TAG_GIVE };

/* What mpirun tells its own children is not for ours, who would take themselves for ranks. */
static void hide(void)
{
    extern char **environ;
    char name[128];
    for (char **at = environ; *at != NULL;) {
        const size_t n = strcspn(*at, "=");
        const bool theirs = strncmp(*at, "OMPI_", 5) == 0 || strncmp(*at, "PMIX_", 5) == 0 ||
                            strncmp(*at, "ORTE_", 5) == 0 || strncmp(*at, "PRTE_", 5) == 0;
        if (!theirs || n >= sizeof name) {
            at++;
            continue;
        }
        memcpy(name, *at, n);
        name[n] = 0;
        (void)unsetenv(name); /* moves the others up */
    }
}

enum status ranks_join(struct ranks *out)
{
    *out = (struct ranks){.n = 1};
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL) return STATUS_OK;
    int own = 0, n = 1;
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS) return STATUS_IO;
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &own);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &n);
    *out = (struct ranks){.own = (unsigned)own, .n = (unsigned)n};
    hide();
    return STATUS_OK;
}

void ranks_leave(const struct ranks *ranks)
{
    int begun = 0;
    (void)MPI_Initialized(&begun);
    if (begun && ranks->n > 0) (void)MPI_Finalize();
}

void ranks_abort(int code)
{
    (void)MPI_Abort(MPI_COMM_WORLD, code);
    abort();
}

bool ranks_asked(const struct ranks *ranks, unsigned *who, uint32_t *done, bool *failed)
{
    int there = 0;
    MPI_Status status;
    uint32_t message[2];
    if (ranks->n == 1) return false;
    (void)MPI_Iprobe(MPI_ANY_SOURCE, TAG_ASK, MPI_COMM_WORLD, &there, &status);
    if (!there) return false;
    (void)MPI_Recv(message, 2, MPI_UINT32_T, status.MPI_SOURCE, TAG_ASK, MPI_COMM_WORLD, &status);
    *who = (unsigned)status.MPI_SOURCE;
    *done = message[0];
    *failed = message[1] != 0;
    return true;
}

void ranks_give(unsigned who, uint32_t row)
{
    (void)MPI_Send(&row, 1, MPI_UINT32_T, (int)who, TAG_GIVE, MPI_COMM_WORLD);
}

void ranks_ask(uint32_t done, bool failed)
{
    const uint32_t message[2] = {done, failed};
    (void)MPI_Send(message, 2, MPI_UINT32_T, 0, TAG_ASK, MPI_COMM_WORLD);
}

bool ranks_answered(uint32_t *row)
{
    int there = 0;
    MPI_Status status;
    (void)MPI_Iprobe(0, TAG_GIVE, MPI_COMM_WORLD, &there, &status);
    if (there) (void)MPI_Recv(row, 1, MPI_UINT32_T, 0, TAG_GIVE, MPI_COMM_WORLD, &status);
    return there != 0;
}
