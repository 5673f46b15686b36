/* SPDX-License-Identifier: Apache-2.0 */
/* Make the corpus of fuzz_msg.c in an empty folder: each example of tests/lib/messages.c, and the
 * examples with one byte changed. An input is the kind less one, then the body without prefix and
 * signature. */
#include <stdio.h>

#include "base/file.h"
#include "tests/lib/messages.h"

#define HEAD (4 + MSG_SESSION_BYTES)

/* A byte of an example, counted from the message's beginning, and what it becomes. */
static const struct change {
    const char *name;
    enum msg_kind kind;
    size_t at;
    uint8_t to;
} changes[] = {
    {"abort_unknown_reason", MSG_ABORT, HEAD + 9, 0xff},
    {"digest_too_many_segments", MSG_DIGEST, HEAD + 100, MSG_SEGMENTS_MAX + 1},
    {"finish_state_longer_than_input", MSG_FINISH, 4 + 32 + 3, 0xff},
    {"header_too_many_segments", MSG_HEADER, HEAD + 100, MSG_SEGMENTS_MAX + 1},
    {"header_too_many_noises", MSG_HEADER, HEAD + 101 + 64, XNOISE_REMOVABLE_MAX + 1},
    {"inbox_dealers_dirty_padding", MSG_INBOX, HEAD + 4, 0x2b},
    {"inbox_dealers_of_six", MSG_INBOX, HEAD, 6},
    {"inbox_flag_is_two", MSG_INBOX, HEAD + 5 + 32, 2},
    {"inbox_path_too_long", MSG_INBOX, HEAD + 5 + 33 + 33 + 16, MERKLE_PATH_MAX + 1},
    {"masked_digest_longer_than_input", MSG_MASKED, 4 + 3, 0xff},
    {"opening_count_lies", MSG_OPENING, 4 + 8, 3},
    {"opening_state_too_long", MSG_OPENING, 4 + 8 + 4 + 13, 6},
    {"opening_state_too_short", MSG_OPENING, 4 + 8 + 4 + 13, 4},
    {"plan_cohort_of_six", MSG_PLAN, HEAD + 161, 6},
    {"plan_ring_of_33_bits", MSG_PLAN, HEAD + 161 + 5 + 24, 33},
    {"plan_unknown_cipher", MSG_PLAN, HEAD + 161 + 5 + 25 + 8, 99},
    {"plan_count_of_segments_lies", MSG_PLAN, HEAD + 161 + 5 + 34 + 34, 3},
    {"plan_too_many_removable", MSG_PLAN, HEAD + 161 + 5 + 34 + 33, XNOISE_REMOVABLE_MAX + 1},
    {"positions_flag_is_two", MSG_POSITIONS, HEAD, 2},
    {"quorum_count_lies", MSG_QUORUM, HEAD, 3},
    {"quorum_of_none", MSG_QUORUM, HEAD, 0},
    {"roster_empty_blob", MSG_ROSTER, HEAD + 1, 0},
    {"roster_flag_is_two", MSG_ROSTER, HEAD, 2},
    {"shares_sealed_too_long", MSG_SHARES, 4 + 8 + 96 + 1, MESSAGES_SEALED_MAX + 1},
    {"survivors_dirty_padding", MSG_SURVIVORS, HEAD + 96 + 4, 0x28},
    {"survivors_flag_is_two", MSG_SURVIVORS, HEAD + 96 + 10 + 32 + 33, 2},
    {"survivors_of_six", MSG_SURVIVORS, HEAD + 96, 6},
    {"unmask_flag_is_two", MSG_UNMASK, HEAD + 36 + 3, 2},
    {"unmask_too_many_places", MSG_UNMASK, HEAD + 36 + 2, 255},
};

static enum status save(const char *folder, const char *name, struct view bytes)
{
    char path[FILE_PATH_MAX];
    TRY(file_path(path, sizeof path, folder, name));
    return file_write(path, bytes, 0644);
}

static enum status make(const char *folder, const char *name, enum msg_kind kind,
                        const struct change *change)
{
    AUTO(buffer_free) struct buffer bytes = {0};
    messages[kind].write(&bytes);
    TRY(bytes.status);
    if (messages[kind].is_signed) bytes.n -= SIGN_BYTES;
    if (change != NULL) {
        REQUIRE(change->at < bytes.n && bytes.at[change->at] != change->to);
        bytes.at[change->at] = change->to;
    }
    bytes.at[3] = (uint8_t)(kind - 1);
    return save(folder, name, (struct view){bytes.at + 3, bytes.n - 3});
}

static enum status make_all(const char *folder)
{
    for (enum msg_kind kind = MSG_HELLO; kind < MSG_KIND_COUNT; kind++)
        TRY(make(folder, messages[kind].name, kind, NULL));
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        TRY(make(folder, changes[i].name, changes[i].kind, &changes[i]));
    return save(folder, "empty", (struct view){0});
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_msg FOLDER\n");
        return 2;
    }
    const enum status status = make_all(argv[1]);
    if (status != STATUS_OK) fprintf(stderr, "%s: %s\n", argv[1], status_text(status));
    return status == STATUS_OK ? 0 : 1;
}
