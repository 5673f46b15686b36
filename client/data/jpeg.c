/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG by libjpeg-turbo. Its errors jump back here; what lies between owns nothing but libjpeg's
 * own struct, which is destroyed on every way out. */
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h> /* needs stdio.h */

#include "client/data/image.h"

/* A progressive file may ask for any number of passes over the same pixels. */
#define SCANS_MAX 100
#define MEMORY_MAX (256L << 20)

struct decoder {
    struct jpeg_decompress_struct jpeg; /* first: libjpeg gives its address back */
    struct jpeg_error_mgr error;
    struct jpeg_progress_mgr progress;
    jmp_buf back;
    struct image image;
    enum status status;
    struct data_error *why;
};

static void decoder_free(struct decoder *decoder)
{
    jpeg_destroy_decompress(&decoder->jpeg);
    image_free(&decoder->image);
}

_Noreturn static void give_up(j_common_ptr jpeg)
{
    struct decoder *decoder = (struct decoder *)jpeg;
    longjmp(decoder->back, 1);
}

/* Warnings are of damaged data: as bad as errors here. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0) give_up(jpeg);
}

static void on_output(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void on_progress(j_common_ptr jpeg)
{
    const struct decoder *decoder = (const struct decoder *)jpeg;
    if (decoder->jpeg.input_scan_number > SCANS_MAX) give_up(jpeg);
}

/* Sets status. Everything that can jump is called from here, and no local is used after a jump. */
static void decode(struct decoder *decoder, struct view bytes)
{
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    decoder->status = STATUS_FORMAT;
    if (setjmp(decoder->back) != 0) return;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = MEMORY_MAX;
    jpeg->progress = &decoder->progress;
    jpeg_mem_src(jpeg, bytes.at, bytes.n);
    (void)jpeg_read_header(jpeg, TRUE);
    const bool grey = jpeg->num_components == 1;
    if (!grey && jpeg->num_components != 3) give_up((j_common_ptr)jpeg);
    decoder->status = image_new(&decoder->image, grey ? 1 : 3, jpeg->image_height,
                                jpeg->image_width, decoder->why);
    if (decoder->status != STATUS_OK) return;
    decoder->status = STATUS_FORMAT;
    jpeg->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW; /* the same pixels everywhere */
    (void)jpeg_start_decompress(jpeg);
    const size_t row_bytes = (size_t)decoder->image.channels * decoder->image.width;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = decoder->image.pixel + jpeg->output_scanline * row_bytes;
        (void)jpeg_read_scanlines(jpeg, &row, 1);
    }
    (void)jpeg_finish_decompress(jpeg);
    decoder->status = STATUS_OK;
}

enum status jpeg_decode(struct image *out, struct view bytes, struct data_error *why)
{
    AUTO(decoder_free) struct decoder decoder = {.why = why};
    decoder.jpeg.err = jpeg_std_error(&decoder.error);
    decoder.error.error_exit = give_up;
    decoder.error.emit_message = on_message;
    decoder.error.output_message = on_output;
    decoder.progress.progress_monitor = on_progress;
    decode(&decoder, bytes);
    if (decoder.status == STATUS_FORMAT && why->text[0] == 0)
        return source_refuse(why, STATUS_FORMAT,
                             "the JPEG is damaged, cut off, or neither grey nor RGB; export it "
                             "again");
    TRY(decoder.status);
    *out = decoder.image;
    decoder.image = (struct image){0};
    return STATUS_OK;
}
