/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/progress.h"

#include "ctl/bar.h"
#include "ctl/clock.h"
#include "ctl/text.h"
#include "util/macro.h"

/* Often enough to be seen moving. */
#define SHOW_EVERY_MS 100

/* Off a terminal: ten lines at the most, and none for a work that is soon done. */
#define LINES      10
#define LINE_LEAST 100

#define BAR_WIDTH 24

void progress_init(Progress *p, const Screen *screen, const char *what, size_t total) {
        *p = (Progress){ .screen = screen, .what = what, .total = total, .begun_ms = clock_ms() };
}

static void print_failed(const Progress *p) {
        if (p->n_failed > 0)
                (void) fprintf(p->screen->file, ", %s%zu failed%s", screen_style(p->screen, STYLE_BAD), p->n_failed,
                               screen_plain(p->screen, STYLE_BAD));
}

static void draw(Progress *p, uint64_t now) {
        _cleanup_free_ char *bar = bar_format(p->n_done, p->total, BAR_WIDTH);
        uint64_t ms = now - p->begun_ms;

        (void) fprintf(p->screen->file, "\r%s%s%s %zu of %zu %s", screen_style(p->screen, STYLE_GOOD),
                       bar ? bar : "", screen_plain(p->screen, STYLE_GOOD), p->n_done, p->total, p->what);
        if (ms >= 1000)
                (void) fprintf(p->screen->file, ", %.0f/s", (double) p->n_done * 1000 / (double) ms);
        print_failed(p);
        /* Without what an earlier, longer line has left. */
        (void) fputs("\033[K", p->screen->file);
        (void) fflush(p->screen->file);
        p->shown_ms = now;
        p->is_shown = true;
}

static void print_line(const Progress *p) {
        (void) fprintf(p->screen->file, "hsvdpactl: %zu of %zu %s", p->n_done - p->n_failed, p->total, p->what);
        print_failed(p);
        (void) fputc('\n', p->screen->file);
        (void) fflush(p->screen->file);
}

void progress_step(Progress *p, bool is_ok) {
        uint64_t now = clock_ms();
        size_t every = p->total / LINES;

        p->n_done++;
        p->n_failed += !is_ok;
        if (p->screen->is_terminal) {
                if (now - p->shown_ms >= SHOW_EVERY_MS)
                        draw(p, now);
        } else if (every >= LINE_LEAST && p->n_done % every == 0 && p->n_done < p->total)
                print_line(p);
}

void progress_hide(Progress *p) {
        if (!p->is_shown)
                return;
        (void) fputs("\r\033[K", p->screen->file);
        (void) fflush(p->screen->file);
        p->is_shown = false;
}
