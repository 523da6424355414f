/* Files that the console writes: exports, pictures, its state. */
#include "ft_test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/ui/console.h"
#include "fraudtop/scene.h"

static char folder[] = "/tmp/fraudtop-save-XXXXXX";

struct rig {
    struct ft_scene *scene;
    struct ft_con *con;
    struct ft_canvas cv;
};

static void start(struct rig *r, const char *state_file)
{
    struct ft_ui_opts o = {.mask = true,
                           .stop_fd = -1,
                           .export_dir = folder,
                           .state_file = state_file,
                           .strip_prefix = "fraud_"};

    assert_int_equal(ft_scene_new(&r->scene, "normal", 7, 1795183327000, NULL), FT_OK);
    ft_scene_at(r->scene, 20000);
    assert_int_equal(ft_con_new(&r->con, &o, ft_scene_feed(r->scene), NULL), FT_OK);
    assert_true(ft_canvas_init(&r->cv, 80, 24, true));
    ft_con_tick(r->con, 0, 0);
    ft_con_draw(r->con, &r->cv);
}

static void stop(struct rig *r)
{
    ft_canvas_fini(&r->cv);
    ft_con_free(r->con);
    ft_scene_free(r->scene);
}

static void type(struct rig *r, const char *keys)
{
    for (; *keys; keys++) {
        struct ft_key key = {.code = (uint32_t)*keys};

        ft_con_key(r->con, &key);
    }
}

/* The text of the one file whose name begins and ends so; it is removed. */
static char *take(const char *begins, const char *ends)
{
    char path[512], *text = NULL;
    struct dirent *e;
    struct stat st;
    DIR *d = opendir(folder);

    assert_non_null(d);
    while ((e = readdir(d))) {
        size_t n = strlen(e->d_name), m = strlen(ends);
        FILE *f;

        if (strncmp(e->d_name, begins, strlen(begins)) != 0 || n < m ||
            strcmp(e->d_name + n - m, ends) != 0)
            continue;
        assert_null(text);
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        text = calloc(1, (size_t)st.st_size + 1);
        f = fopen(path, "rb");
        assert_non_null(f);
        assert_int_equal(fread(text, 1, (size_t)st.st_size, f), st.st_size);
        fclose(f);
        unlink(path);
    }
    closedir(d);
    assert_non_null(text);
    return text;
}

static size_t lines(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void test_export_is_what_the_filter_shows(void **state)
{
    struct rig r;
    char *csv, *json;

    (void)state;
    start(&r, NULL);
    /* A merchant that a spreadsheet would take for a formula, with a comma and a quote. */
    snprintf(r.con->flagged.row[0].merchant, sizeof(r.con->flagged.row[0].merchant), "=1+1,\"x\"");
    type(&r, "fscore>=0.9\rec");
    csv = take("flagged-", ".csv");
    assert_int_equal(lines(csv), r.con->flagged.n_view + 1);
    assert_int_equal(strncmp(csv, "transaction_id,event,arrived,score,", 35), 0);
    assert_null(strstr(csv, "Catherine")); /* masked */
    type(&r, "f\025score>=0\rej");
    json = take("flagged-", ".jsonl");
    assert_int_equal(lines(json), r.con->flagged.n_view);
    assert_int_equal(strncmp(json, "{\"schema\":\"flagged/1\",\"transaction_id\":\"", 40), 0);
    free(csv);
    type(&r, "ec");
    csv = take("flagged-", ".csv");
    assert_non_null(strstr(csv, ",\"'=1+1,\"\"x\"\"\","));
    free(csv);
    free(json);
    stop(&r);
}

static void test_nothing_is_overwritten(void **state)
{
    struct rig r;
    struct dirent *e;
    int n = 0;
    DIR *d;

    (void)state;
    start(&r, NULL);
    for (int i = 0; i < 3; i++) /* the clock stands: the same second */
        type(&r, "P");
    d = opendir(folder);
    while ((e = readdir(d)))
        if (strncmp(e->d_name, "screen-", 7) == 0) {
            char path[512];

            snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
            unlink(path);
            n++;
        }
    closedir(d);
    assert_int_equal(n, 3);
    stop(&r);
}

static void test_a_case_as_a_file(void **state)
{
    struct rig r;
    char *text;

    (void)state;
    start(&r, NULL);
    type(&r, "2\rinobody answered\re");
    text = take("case-", ".txt");
    assert_non_null(strstr(text, "names masked"));
    assert_non_null(strstr(text, "why: base"));
    assert_non_null(strstr(text, "customer history"));
    assert_non_null(strstr(text, "nobody answered"));
    assert_non_null(strstr(text, "same merchant"));
    assert_null(strstr(text, "Riley Greens"));
    free(text);
    stop(&r);
}

static void test_what_was_chosen_is_kept(void **state)
{
    char path[200];
    struct stat st;
    struct rig r;

    (void)state;
    snprintf(path, sizeof(path), "%s/state", folder);
    start(&r, path);
    type(&r, ":theme mono\r+sac\r\033");
    type(&r, "ojjjjlljljl\033"); /* charts of braille dots, messages for 30 s, a bell */
    stop(&r);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    start(&r, path);
    assert_string_equal(r.con->theme->name, "mono");
    assert_int_equal(r.con->refresh_ms, 500);
    assert_int_equal(r.con->flagged.sort, FT_SORT_AMOUNT);
    assert_int_equal(r.con->graph, FT_GRAPH_BRAILLE);
    assert_int_equal(r.con->stay_ms, 30000);
    assert_int_equal(r.con->bell_on, FT_BELL_DOWN);
    assert_int_equal(r.con->live_cols.n, 6); /* the first of seven was hidden */
    stop(&r);
    unlink(path);
}

static void test_a_broken_state_file_is_told_and_not_fatal(void **state)
{
    char path[200];
    struct rig r;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/state", folder);
    f = fopen(path, "w");
    fputs("refresh_ms = 2000\nwindow = 99\n\xFF\xFE garbage\nlive.columns = score score\ntheme "
          "= mono\n",
          f);
    fclose(f);
    start(&r, path);
    assert_int_equal(r.con->refresh_ms, 2000);
    assert_string_equal(r.con->theme->name, "mono");
    assert_non_null(strstr(r.con->message, "state:2 cannot be understood"));
    stop(&r);
    unlink(path);
}

static void test_copying(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL);
    type(&r, "y");
    assert_non_null(r.con->clipboard);
    assert_int_equal(strlen(r.con->clipboard), 36);
    type(&r, "Y");
    assert_int_equal(strncmp(r.con->clipboard, "{\"schema\":\"flagged/1\"", 21), 0);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_export_is_what_the_filter_shows),
        cmocka_unit_test(test_nothing_is_overwritten),
        cmocka_unit_test(test_a_case_as_a_file),
        cmocka_unit_test(test_what_was_chosen_is_kept),
        cmocka_unit_test(test_a_broken_state_file_is_told_and_not_fatal),
        cmocka_unit_test(test_copying),
    };
    int failed;

    if (!mkdtemp(folder))
        return ft_test_skip("no temporary folder");
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
