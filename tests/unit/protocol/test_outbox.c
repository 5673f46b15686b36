/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol/outbox.h"

#include "tests/lib/check.h"
#include "tests/lib/oom.h"

static struct buffer text(const char *word)
{
    struct buffer out = {0};
    for (size_t i = 0; word[i] != 0; i++) write_u8(&out, (uint8_t)word[i]);
    return out;
}

static void things_stay_in_order_and_move_in(void)
{
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer first = text("first"), second = text("second"), entry = text("entry");
    CHECK_OK(outbox_send(&out, 3, &first));
    CHECK_OK(outbox_journal(&out, &entry));
    CHECK_OK(outbox_send(&out, OUTBOX_SERVER, &second));
    CHECK_OK(outbox_note(&out, 7, REASON_SHARE));
    CHECK(first.at == NULL && second.at == NULL && entry.at == NULL);
    CHECK(out.n_letters == 2 && out.n_entries == 1 && out.n_notes == 1);
    CHECK_NUMBER(3, out.letter[0].to);
    CHECK_BYTES("first", blob_view(out.letter[0].bytes).at, 5);
    CHECK_NUMBER(OUTBOX_SERVER, out.letter[1].to);
    CHECK_BYTES("second", blob_view(out.letter[1].bytes).at, 6);
    CHECK_BYTES("entry", out.entry[0].at, 5);
    CHECK(out.note[0].site == 7 && out.note[0].reason == REASON_SHARE);
    outbox_free(&out);
    CHECK(out.n_letters == 0 && out.n_entries == 0 && out.n_notes == 0 && out.letter == NULL);
}

static void bytes_that_are_sent_again_are_not_copied(void)
{
    AUTO(blob_free) struct blob *kept = NULL;
    struct buffer answer = text("answer");
    CHECK_OK(blob_of(&kept, &answer));
    const uint8_t *at = blob_view(kept).at;
    AUTO(outbox_free) struct outbox out = {0};
    CHECK_OK(outbox_send_again(&out, 2, kept));
    CHECK_OK(outbox_send_again(&out, 4, kept));
    CHECK(blob_view(out.letter[0].bytes).at == at && blob_view(out.letter[1].bytes).at == at);
    CHECK(out.letter[0].to == 2 && out.letter[1].to == 4);
    blob_free(&kept);
    CHECK_BYTES("answer", blob_view(out.letter[1].bytes).at, 6);
}

static void a_buffer_that_ran_out_of_memory_is_not_sent(void)
{
    AUTO(outbox_free) struct outbox out = {0};
    struct buffer bad = text("half");
    bad.status = STATUS_NOMEM;
    CHECK_STATUS(STATUS_NOMEM, outbox_send(&out, 1, &bad));
    bad = text("half");
    bad.status = STATUS_NOMEM;
    CHECK_STATUS(STATUS_NOMEM, outbox_journal(&out, &bad));
    CHECK(bad.at == NULL);
    CHECK(out.n_letters == 0 && out.n_entries == 0);
}

static void without_memory_nothing_is_added_and_nothing_leaks(void)
{
    AUTO(outbox_free) struct outbox out = {0};
    size_t failures = 0;
    OOM_EACH {
        oom_stop();
        outbox_free(&out);
        struct buffer letter = text("letter"), entry = text("entry");
        oom_resume();
        enum status sent = outbox_send(&out, 1, &letter);
        enum status again = outbox_send_again(&out, 2, NULL);
        enum status kept = outbox_journal(&out, &entry);
        enum status noted = outbox_note(&out, 1, REASON_SHARE);
        oom_stop();
        CHECK(letter.at == NULL && entry.at == NULL);
        CHECK_NUMBER((sent == STATUS_OK) + (again == STATUS_OK), out.n_letters);
        CHECK_NUMBER(kept == STATUS_OK, out.n_entries);
        CHECK_NUMBER(noted == STATUS_OK, out.n_notes);
        failures += noted == STATUS_NOMEM;
    }
    CHECK_NUMBER(5, failures); /* a blob and its letter, a letter, an entry, a note */
}

int main(void)
{
    RUN(things_stay_in_order_and_move_in);
    RUN(bytes_that_are_sent_again_are_not_copied);
    RUN(a_buffer_that_ran_out_of_memory_is_not_sent);
    RUN(without_memory_nothing_is_added_and_nothing_leaks);
    return check_done();
}
