/*
 * Keys and sizes typed by a stranger at a scene: the first byte chooses the scene, then each byte is a key, but for a few that
 * change the size, move the clock or draw.  Nothing crashes, no cell lies outside, the cursor stays inside.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../src/ui/console.h"
#include "fraudtop/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t key_of(uint8_t b)
{
    static const uint32_t named[] = {FT_KEY_UP,
                                     FT_KEY_DOWN,
                                     FT_KEY_LEFT,
                                     FT_KEY_RIGHT,
                                     FT_KEY_HOME,
                                     FT_KEY_END,
                                     FT_KEY_PGUP,
                                     FT_KEY_PGDN,
                                     FT_KEY_DELETE,
                                     FT_KEY_BACKTAB,
                                     FT_KEY_PASTE_BEGIN,
                                     FT_KEY_PASTE_END,
                                     FT_KEY_F1,
                                     0x1F4B3,
                                     0x202E,
                                     0x301};

    return b < 0x80 ? b : named[b % (sizeof(named) / sizeof(*named))];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ft_ui_opts o = {
        .mask = true, .strip_prefix = "fraud_", .stop_fd = -1, .export_dir = "/nonexistent"};
    struct ft_scene *s;
    struct ft_canvas cv;
    struct ft_con *c;
    int64_t ms = 20000;

    if (size < 2 || size > 400)
        return 0;
    if (ft_scene_new(&s, ft_scene_names[data[0] % 7], 7, 1795183327000, NULL) != FT_OK)
        abort();
    ft_scene_at(s, ms);
    if (ft_con_new(&c, &o, ft_scene_feed(s), NULL) != FT_OK ||
        !ft_canvas_init(&cv, 80, 24, data[0] & 1))
        abort();
    ft_con_tick(c, 0, 0);
    for (size_t i = 1; i < size && !c->quit; i++) {
        struct ft_key key = {.code = key_of(data[i])};

        if (data[i] >= 0xF0) {
            ft_canvas_resize(&cv, 1 + data[i] * 7 % 151, 1 + data[i] * 5 % 43);
            ft_con_draw(c, &cv);
        } else if (data[i] >= 0xE0) {
            ft_scene_at(s, ms += (data[i] & 15) * 700);
            ft_con_tick(c, 0, 0);
        } else {
            ft_con_key(c, &key);
        }
        if (i % 4 == 0)
            ft_con_draw(c, &cv);
        assert(cv.cursor_x >= 0 && cv.cursor_x < cv.cols && cv.cursor_y >= 0 &&
               cv.cursor_y < cv.rows);
    }
    ft_con_draw(c, &cv);
    ft_canvas_fini(&cv);
    ft_con_free(c);
    ft_scene_free(s);
    return 0;
}
