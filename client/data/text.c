/* SPDX-License-Identifier: Apache-2.0 */
/* A file is a list of speeches, a plain text one nameless speech. They are sorted by speaker, so
 * that what one says lies together, and windows are cut from that. */
#include "client/data/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "client/data/source.h"

_Static_assert(sizeof TEXT_ALPHABET - 1 == TEXT_CHARACTERS, "one number for each character");

struct speech {
    struct view name, words; /* borrowed from the file */
};

/* The file in pieces, and its characters as numbers, speaker after speaker. */
struct play {
    struct speech *speech;
    size_t n_speeches;
    uint8_t *number; /* secret */
    size_t n;
};

static void play_free(struct play *play)
{
    if (play->number != NULL) secret_wipe(play->number, play->n);
    free(play->number);
    free(play->speech);
}

/* Up to and with the next line feed, or what is left. */
static struct view line_at(struct view text, size_t at)
{
    const uint8_t *end = memchr(text.at + at, '\n', text.n - at);
    const size_t n = end == NULL ? text.n - at : (size_t)(end - (text.at + at)) + 1;
    return (struct view){text.at + at, n};
}

static bool is_heading(struct view line)
{
    return line.n > 2 && line.at[line.n - 1] == '\n' && line.at[line.n - 2] == ':';
}

/* Find the speeches; speech may be NULL, to count them. */
static size_t find_speeches(struct speech *speech, struct view text)
{
    size_t n = 0;
    bool fresh = true; /* after an empty line */
    for (size_t at = 0; at < text.n;) {
        const struct view line = line_at(text, at);
        at += line.n;
        if (fresh && is_heading(line)) {
            if (speech != NULL)
                speech[n] = (struct speech){{line.at, line.n - 2}, {text.at + at, 0}};
            n++;
        } else if (n > 0 && speech != NULL) {
            speech[n - 1].words.n += line.n;
        }
        fresh = line.n == 1 && *line.at == '\n';
    }
    return n;
}

static int compare_names(const struct speech *a, const struct speech *b)
{
    const size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
    const int order = memcmp(a->name.at, b->name.at, n);
    return order != 0 ? order : (a->name.n > b->name.n) - (a->name.n < b->name.n);
}

static int compare(const void *left, const void *right)
{
    const struct speech *a = left, *b = right;
    const int order = compare_names(a, b);
    return order != 0 ? order : (a->name.at > b->name.at) - (a->name.at < b->name.at);
}

/* A nameless speech when nobody is asked for. */
static enum status play_new(struct play *play, struct view text, bool speakers,
                            struct data_error *why)
{
    play->n_speeches = speakers ? find_speeches(NULL, text) : 1;
    if (play->n_speeches == 0)
        return source_refuse(why, STATUS_FORMAT,
                             "nobody speaks in the text; a speech begins with a line such as "
                             "\"ROMEO:\" after an empty line");
    play->speech = calloc(play->n_speeches, sizeof *play->speech);
    play->number = malloc(text.n == 0 ? 1 : text.n);
    if (play->speech == NULL || play->number == NULL)
        return source_refuse(why, STATUS_NOMEM, "no memory for a text of %zu bytes; split it",
                             text.n);
    play->speech[0].words = text;
    if (speakers) (void)find_speeches(play->speech, text);
    qsort(play->speech, play->n_speeches, sizeof *play->speech, compare);
    return STATUS_OK;
}

static enum status refuse_character(struct view text, const uint8_t *at, struct data_error *why)
{
    size_t line = 1;
    for (const uint8_t *c = text.at; c < at; c++) line += *c == '\n';
    return source_refuse(why, STATUS_FORMAT,
                         "line %zu has byte 0x%02x, which is not in the alphabet of printable "
                         "ASCII; convert the file, for example with "
                         "iconv -t ASCII//TRANSLIT | tr -d '\\r'",
                         line, *at);
}

static enum status append_numbers(struct play *play, const struct speech *speech,
                                  const uint8_t number[static 256], struct view text,
                                  struct data_error *why)
{
    for (size_t i = 0; i < speech->words.n; i++) {
        const uint8_t *at = speech->words.at + i;
        if (number[*at] == TEXT_CHARACTERS) return refuse_character(text, at, why);
        play->number[play->n++] = number[*at];
    }
    return STATUS_OK;
}

static size_t windows(size_t characters, const struct text_how *how)
{
    return characters <= how->length ? 0 : (characters - how->length - 1) / how->stride + 1;
}

/* Number all characters; end[s] is the place after the last one of speaker s. */
static enum status number_all(struct play *play, size_t *end, uint32_t *n_speakers,
                              struct view text, struct data_error *why)
{
    uint8_t number[256];
    memset(number, TEXT_CHARACTERS, sizeof number);
    for (uint8_t c = 0; c < TEXT_CHARACTERS; c++) number[(uint8_t)TEXT_ALPHABET[c]] = c;
    *n_speakers = 0;
    for (size_t s = 0; s < play->n_speeches; s++) {
        const bool other = s == 0 || compare_names(&play->speech[s - 1], &play->speech[s]) != 0;
        if (other && *n_speakers == TEXT_SPEAKERS_MAX)
            return source_refuse(why, STATUS_RANGE, "more than %u speak in the text; split it",
                                 TEXT_SPEAKERS_MAX);
        *n_speakers += other;
        TRY(append_numbers(play, &play->speech[s], number, text, why));
        end[*n_speakers - 1] = play->n;
    }
    return STATUS_OK;
}

static void cut(struct dataset *data, const struct play *play, const size_t *end,
                uint32_t n_speakers, const struct text_how *how)
{
    size_t record = 0;
    for (size_t s = 0, start = 0; s < n_speakers; start = end[s++])
        for (size_t w = 0; w < windows(end[s] - start, how); w++, record++) {
            const uint8_t *from = play->number + start + w * how->stride;
            memcpy(data->pixel + record * how->length, from, how->length);
            data->label[record] = from[how->length];
            if (data->key != NULL) data->key[record] = (uint16_t)s;
            for (size_t i = 0; i <= how->length; i++)
                if (from[i] >= data->classes) data->classes = from[i] + 1u;
        }
}

static void release_ends(size_t **end)
{
    free(*end);
}

enum status text_parse(struct dataset *out, struct view text, const struct text_how *how,
                       struct data_error *why)
{
    if (how->length == 0 || how->length > TEXT_LENGTH_MAX || how->stride == 0)
        return source_refuse(why, STATUS_RANGE,
                             "a record of text has 1 to %u characters, and the next begins at "
                             "least one further on",
                             TEXT_LENGTH_MAX);
    if (text.n > TEXT_BYTES_MAX)
        return source_refuse(why, STATUS_RANGE, "the text is longer than %u bytes; split it",
                             TEXT_BYTES_MAX);
    AUTO(play_free) struct play play = {0};
    TRY(play_new(&play, text, how->speakers, why));
    AUTO(release_ends) size_t *end = calloc(play.n_speeches, sizeof *end);
    if (end == NULL) return source_refuse(why, STATUS_NOMEM, "no memory for the text; split it");
    uint32_t n_speakers = 0;
    TRY(number_all(&play, end, &n_speakers, text, why));

    size_t n = 0;
    for (size_t s = 0, start = 0; s < n_speakers; start = end[s++])
        n += windows(end[s] - start, how);
    if (n == 0)
        return source_refuse(why, STATUS_FORMAT,
                             "nothing in the text is as long as a record of %u characters and the "
                             "one after them",
                             how->length);
    AUTO(dataset_free) struct dataset data = {0};
    TRY(source_shape(&data, n, 1, 1, how->length, why));
    TRY(source_new(&data, why));
    if (how->speakers && (data.key = calloc(n, sizeof *data.key)) == NULL)
        return source_refuse(why, STATUS_NOMEM, "no memory for the text; split it");
    cut(&data, &play, end, n_speakers, how);
    *out = data;
    data = (struct dataset){0};
    return STATUS_OK;
}

enum status text_read(struct dataset *out, const char *path, const struct text_how *how,
                      struct data_error *why)
{
    AUTO(buffer_wipe) struct buffer file = {0};
    TRY(source_read(&file, path, TEXT_BYTES_MAX, why));
    return text_parse(out, buffer_view(&file), how, why);
}
