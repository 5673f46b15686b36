/* SPDX-License-Identifier: Apache-2.0 */
/* veilsum-lab report: a page about a sweep or about audits, and CSV files beside it. */
#include "lab/report.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/option.h"
#include "lab/commands.h"

struct audits {
    size_t n;
    struct report_audit audit[REPORT_AUDITS_MAX];
};

static void audits_free(struct audits *audits)
{
    for (size_t i = 0; i < audits->n; i++) document_free(&audits->audit[i].document);
}

static int is_json(const struct dirent *entry)
{
    const size_t n = strlen(entry->d_name);
    return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".json") == 0;
}

/* The folder's documents that say that they are audits; those that cannot be read too. */
static enum status read_audits(struct audits *out, const char *folder)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_json, alphasort);
    enum status status = n < 0 ? STATUS_IO : n > REPORT_AUDITS_MAX ? STATUS_RANGE : STATUS_OK;
    for (int i = 0; i < n; i++) {
        char path[FILE_PATH_MAX];
        if (status == STATUS_OK) {
            struct report_audit *audit = &out->audit[out->n++];
            document_cut(audit->file, sizeof audit->file, entry[i]->d_name);
            status = file_path(path, sizeof path, folder, entry[i]->d_name);
            if (status == STATUS_OK && document_read(&audit->document, path) == STATUS_NOMEM)
                status = STATUS_NOMEM;
        }
        free(entry[i]);
    }
    free(entry);
    return status;
}

static enum exit_code failed(const char *what, const char *path, enum status status)
{
    fprintf(stderr, "%s %s: %s\n", what, path, status_text(status));
    return EXIT_FAILED;
}

/* PAGE-files beside PAGE.html: its path, and its name as links have it. */
static enum status name_folder(char path[static FILE_PATH_MAX], struct page *page, const char *out)
{
    const char *slash = strrchr(out, '/');
    const char *dot = strrchr(slash == NULL ? out : slash, '.');
    const int n = dot == NULL ? (int)strlen(out) : (int)(dot - out);
    const int length = snprintf(path, FILE_PATH_MAX, "%.*s-files", n, out);
    const size_t start = slash == NULL ? 0 : (size_t)(slash + 1 - out);
    if (length < 0 || length >= FILE_PATH_MAX || strlen(path + start) >= sizeof page->folder)
        return STATUS_RANGE;
    (void)snprintf(page->folder, sizeof page->folder, "%s", path + start);
    return STATUS_OK;
}

static enum exit_code write_page(const struct page *page, const char *out, const char *folder)
{
    enum status status = page_status(page);
    if (status != STATUS_OK) return failed("cannot make", out, status);
    (void)mkdir(folder, 0777); /* file_write says if there is none */
    for (size_t i = 0; i < page->n_files; i++) {
        char path[FILE_PATH_MAX];
        status = file_path(path, sizeof path, folder, page->file[i].name);
        if (status == STATUS_OK) status = file_write(path, buffer_view(&page->file[i].bytes), 0644);
        if (status != STATUS_OK) return failed("cannot write into", folder, status);
    }
    status = file_write(out, buffer_view(&page->html), 0644);
    if (status != STATUS_OK) return failed("cannot write", out, status);
    printf("%s\n", out);
    return EXIT_OK;
}

static enum exit_code about_audits(struct page *page, const char *folder)
{
    AUTO(audits_free) struct audits audits = {0};
    const enum status status = read_audits(&audits, folder);
    if (status == STATUS_RANGE) {
        fprintf(stderr, "%s has more than %d documents: report on them in parts\n", folder,
                REPORT_AUDITS_MAX);
        return EXIT_DATA;
    }
    if (status != STATUS_OK) return failed("cannot read", folder, status);
    if (audits.n == 0) {
        fprintf(stderr,
                "%s has neither runs (NNNN/manifest.json, by veilsum-lab sweep) nor audits "
                "(NAME.json, by veilsum-lab audit NAME --out)\n",
                folder);
        return EXIT_DATA;
    }
    report_audits(page, audits.audit, audits.n, folder);
    return EXIT_OK;
}

static enum exit_code about(struct page *page, const char *folder)
{
    AUTO(runs_free) struct runs runs = {0};
    const enum status status = runs_read(&runs, folder);
    if (status == STATUS_FORMAT) return about_audits(page, folder);
    if (status == STATUS_RANGE) {
        fprintf(stderr, "%s has more than %d runs: report them in parts\n", folder, RUNS_MAX);
        return EXIT_DATA;
    }
    if (status != STATUS_OK) return failed("cannot read", folder, status);
    report_runs(page, &runs, folder);
    return EXIT_OK;
}

enum exit_code report_command(int argc, char **argv)
{
    static const char doc[] =
        "A page with figures and tables about a sweep's runs or about audits.\v"
        "The page is one file that needs no network and runs no scripts. What is in the folder "
        "may come from others: it is checked, and shown as text only.\n\n"
        "Examples:\n"
        "  veilsum-lab report runs -o report.html\n"
        "  veilsum-lab report audit -o audit.html\n";
    const char *from = NULL, *out = NULL;
    const struct option_row row[] = {{NULL, "FOLDER", .needed = true, .text = &from},
                                     {"output", "FILE",
                                      "The page; CSV files go into FILE-files beside it", 'o',
                                      .needed = true, .text = &out},
                                     {0}};
    option_read(&(struct option_table){.row = row, .doc = doc}, argc, argv);
    AUTO(page_free) struct page page = {0};
    char folder[FILE_PATH_MAX];
    const enum status status = name_folder(folder, &page, out);
    if (status != STATUS_OK) return failed("cannot write", out, status);
    const enum exit_code code = about(&page, from);
    return code == EXIT_OK ? write_page(&page, out, folder) : code;
}
