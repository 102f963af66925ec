/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/packed.h"

#include "http/gzip.h"

struct Packed {
        z_stream z;
        const HttpSource *source;
        void *userdata;
        bool is_last; /* the source has come to its end */
        bool is_over; /* ... and all of it was given away */
        char plain[16 * 1024];
};

Packed *packed_new(const HttpSource *source, void *userdata) {
        Packed *p = malloc(sizeof *p);

        if (!p)
                return NULL;
        p->z = (z_stream){};
        if (gzip_init(&p->z) < 0) {
                free(p);
                return NULL;
        }

        p->source = source;
        p->userdata = userdata;
        p->is_last = p->is_over = false;
        return p;
}

Packed *packed_free(Packed *p) {
        (void) deflateEnd(&p->z);
        free(p);
        return NULL;
}

/* Compresses a piece. Returns 1, or what the source says that has none. */
static ssize_t pack(Packed *p) {
        if (p->z.avail_in == 0 && !p->is_last) {
                ssize_t n = p->source->read(p->userdata, p->plain, sizeof p->plain);

                if (n <= 0 && n != HTTP_STREAM_END)
                        return n;
                p->is_last = n == HTTP_STREAM_END;
                p->z.next_in = (const Bytef *) p->plain;
                p->z.avail_in = p->is_last ? 0 : (uInt) n;
        }
        p->is_over = deflate(&p->z, p->is_last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
        return 1;
}

static ssize_t read_packed(void *userdata, char *buffer, size_t size) {
        Packed *p = userdata;
        ssize_t r = 1;
        size_t n;

        p->z.next_out = (Bytef *) buffer;
        p->z.avail_out = (uInt) size;
        while (r > 0 && p->z.avail_out > 0 && !p->is_over)
                r = pack(p);

        n = size - p->z.avail_out;
        if (n > 0)
                return (ssize_t) n;
        return p->is_over ? HTTP_STREAM_END : r;
}

static void on_done(void *userdata) {
        Packed *p = userdata;

        p->source->done(p->userdata);
        packed_free(p);
}

const HttpSource packed_source = { .read = read_packed, .done = on_done };
