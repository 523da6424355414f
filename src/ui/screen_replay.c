/* Replay: which file is running, how far, what was rejected?  And the form that starts one. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "fraudtop/text.h"

#define RELOAD_MS 10000

enum { FIELD_FILE, FIELD_RATE, FIELD_SPEED, FIELD_LABEL, FIELD_LIMIT, FIELD_START, N_FIELDS };

/* ---- files ---------------------------------------------------------------------------------------- */

static void take_file(const struct ft_con *c, const cJSON *one, struct ft_file_row *f)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(one, "labels");
    const char *state = ft_js_text(one, "state"), *error = ft_js_text(one, "error");
    int64_t last = ft_js_time(one, "last_run");
    char when[24] = "";

    memset(f, 0, sizeof(*f));
    snprintf(f->name, sizeof(f->name), "%s", ft_js_text(one, "name"));
    snprintf(f->label, sizeof(f->label), "%s", ft_js_text(one, "label"));
    f->folder = ft_js_true(one, "folder");
    f->waiting = ft_js_true(one, "own");
    f->rejects = ft_js_true(one, "rejects");
    f->labels_known = cJSON_IsBool(labels);
    f->labels = cJSON_IsTrue(labels);
    f->size = ft_js_number(one, "size");
    f->rows = ft_js_number(one, "rows");
    f->rejected = ft_js_number(one, "rejected");
    if (last)
        ft_show_date(c, last, when, sizeof(when));
    if (*error)
        snprintf(f->state, sizeof(f->state), "cannot be replayed: %.27s", error);
    else if (strcmp(state, "waiting") == 0)
        snprintf(f->state, sizeof(f->state),
                 ft_js_number(one, "place") > 1 ? "waiting, place %.0f" : "waiting, next",
                 ft_js_number(one, "place"));
    else if (strcmp(state, "running") == 0 || !last)
        snprintf(f->state, sizeof(f->state), "%s", state);
    else if (*state || isnan(f->rejected))
        snprintf(f->state, sizeof(f->state), "%.11s  %s", when + 5, state);
    else
        snprintf(f->state, sizeof(f->state), "%.11s  %.0f rejected", when + 5, f->rejected);
}

static void files_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    const cJSON *one;
    char selected[sizeof(c->rp.file->name)] = "";

    if (!ft_loaded_take(c, &c->rp.files, a))
        return;
    if (!c->rp.file)
        c->rp.file = calloc(FT_MAX_FILES, sizeof(*c->rp.file));
    if (!c->rp.file)
        return;
    if (c->rp.at < c->rp.n_file)
        memcpy(selected, c->rp.file[c->rp.at].name, sizeof(selected));
    if (strcmp(c->rp.folder, ft_js_text(json, "folder")) != 0)
        c->rp.n_marked = 0; /* marks are of one folder */
    c->rp.n_file = 0;
    snprintf(c->rp.folder, sizeof(c->rp.folder), "%s", ft_js_text(json, "folder"));
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(json, "files"))
    {
        if (c->rp.n_file == FT_MAX_FILES)
            break;
        take_file(c, one, &c->rp.file[c->rp.n_file]);
        if (strcmp(c->rp.file[c->rp.n_file].name, selected) == 0)
            c->rp.at = c->rp.n_file;
        c->rp.n_file++;
    }
    if (c->rp.at >= c->rp.n_file)
        c->rp.at = c->rp.n_file ? c->rp.n_file - 1 : 0;
}

/* {"member": text}; b is the caller's to end. */
static void one_member(struct ft_buf *b, const char *member, const char *text)
{
    ft_buf_init(b, 4096);
    ft_buf_fmt(b, "{\"%s\":", member);
    ft_buf_json(b, ft_span_of(text));
    ft_buf_char(b, '}');
}

/* As the form and the answers have it; name alone while no folder was read. */
static void path_of(const struct ft_con *c, const char *name, char *out, size_t size)
{
    bool bare = !*c->rp.folder || strcmp(c->rp.folder, "/") == 0;

    snprintf(out, size, "%s%s%s", bare ? "" : c->rp.folder, *c->rp.folder ? "/" : "", name);
}

static void read_files(struct ft_con *c, const char *folder)
{
    struct ft_buf b;

    one_member(&b, "folder", folder);
    if (!b.failed)
        ft_con_load(c, &c->rp.files, FT_ASK_FILES, files_answer, b.p);
    ft_buf_fini(&b);
}

static void go_to(struct ft_con *c, const char *folder)
{
    c->rp.at = c->rp.top = 0;
    read_files(c, folder);
}

static void enter(struct ft_con *c)
{
    memcpy(c->rp.seen_run, c->live->replay.run, sizeof(c->rp.seen_run));
    c->rp.seen_active = c->live->replay.active;
    read_files(c, c->rp.folder);
}

static void on_tick(struct ft_con *c)
{
    if (c->frozen || ft_con_top(c) != FT_PLACE_REPLAY)
        return;
    if (c->now_ms - c->rp.files.asked_ms >= RELOAD_MS ||
        strcmp(c->rp.seen_run, c->live->replay.run) != 0 ||
        c->rp.seen_active != c->live->replay.active)
        enter(c);
}

/* ---- drawing -------------------------------------------------------------------------------------- */

static void draw_bar(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_replay_view *r = &c->live->replay;
    double share = r->bytes_total ? (double)r->bytes_done / (double)r->bytes_total : 0;
    char eta[24], text[64];
    int w = b.w - 30;

    if (r->eta_s >= 0)
        ft_fmt_age(eta, sizeof(eta), (int64_t)(r->eta_s * 1000));
    else
        snprintf(eta, sizeof(eta), "-");
    if (r->bytes_total == 0) {
        ft_put(cv, b.y, 1, b.w - 1, FT_ROLE_NORMAL, "length not known (a stream)");
        return;
    }
    ft_put(cv, b.y, 1, 1, FT_ROLE_NORMAL, "[");
    for (int i = 0; i < w; i++)
        ft_put_char(cv, b.y, 2 + i, FT_ROLE_MUTED, cv->ascii ? '-' : 0xB7);
    ft_hbar(cv, b.y, 2, w, FT_ROLE_GRAPH, share);
    ft_put(cv, b.y, 2 + w, 1, FT_ROLE_NORMAL, "]");
    snprintf(text, sizeof(text), "%5.1f %%   ETA %s", 100 * share, eta);
    ft_put(cv, b.y, 4 + w, b.w - w - 4, FT_ROLE_NORMAL, text);
}

static void draw_now(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_replay_view *r = &c->live->replay;
    char sent[32], acked[32], flight[32], rate[24], limit[48], done[24], total[24],
        right[FT_PATH_MAX + 32];

    ft_path_fit(right, sizeof(right), r->file, b.w / 2, cv->ascii);
    if (r->waiting)
        snprintf(right + strlen(right), sizeof(right) - strlen(right), ", then %d more",
                 r->waiting);
    ft_title(c, cv, b.y, b.x, b.w, "now", right);
    ft_fmt_count(sent, sizeof(sent), r->sent);
    ft_fmt_count(acked, sizeof(acked), r->acked);
    if (!r->active) {
        ft_put(cv, b.y + 1, 1, b.w - 1, FT_ROLE_NORMAL,
               *r->error ? r->error : "No replay runs here. Enter on a file opens the start form.");
        ft_fmt_count(flight, sizeof(flight), r->rejected);
        if (*r->run)
            ft_putf(cv, b.y + 2, 1, b.w - 1, FT_ROLE_NORMAL,
                    "the last one: sent %s rows   acked %s   rejected %s   run %s", sent, acked,
                    flight, r->run);
        return;
    }
    draw_bar(c, cv, (struct ft_box){b.y + 1, 0, 1, b.w});
    ft_fmt_count(flight, sizeof(flight), r->in_flight);
    ft_fmt_rate(rate, sizeof(rate), r->per_s);
    ft_fmt_bytes(done, sizeof(done), r->bytes_done);
    ft_fmt_bytes(total, sizeof(total), r->bytes_total);
    ft_putf(cv, b.y + 2, 1, b.w - 1, FT_ROLE_NORMAL, "sent   %s rows   %s of %s   %s tx/s", sent,
            done, r->bytes_total ? total : "?", rate);
    ft_putf(cv, b.y + 3, 1, b.w - 1, FT_ROLE_NORMAL, "acked  %s   in flight %s   run %s", acked,
            flight, r->run);
    if (r->speed > 0)
        snprintf(limit, sizeof(limit), "%g times event time", r->speed);
    else if (r->rate_limit > 0) {
        char n[32];

        ft_fmt_count(n, sizeof(n), (uint64_t)r->rate_limit);
        snprintf(limit, sizeof(limit), "limit %s tx/s", n);
    } else
        snprintf(limit, sizeof(limit), "no limit");
    if (r->held)
        ft_putf(cv, b.y + 4, 1, b.w - 1, FT_ROLE_WARN, "HELD: %s", r->error);
    else
        ft_putf(cv, b.y + 4, 1, b.w - 1, r->paused ? FT_ROLE_WARN : FT_ROLE_NORMAL,
                "rate   %s%s   (event clock %s)", limit, r->paused ? "   PAUSED, p goes on" : "",
                *r->event_clock ? r->event_clock : "?");
}

static void draw_rejected(const struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const struct ft_replay_view *r = &c->live->replay;
    char right[220], n[32], rows[32], line[32];

    ft_fmt_count(n, sizeof(n), r->rejected);
    snprintf(right, sizeof(right), r->rejected ? "%s, kept in %s" : "%s", n, r->quarantine);
    ft_title(c, cv, b.y, b.x, b.w, "rejected rows", right);
    if (r->n_reject == 0)
        ft_put(cv, b.y + 1, 1, b.w - 1, FT_ROLE_MUTED, "none");
    for (size_t i = 0; i < r->n_reject && (int)i + 1 < b.h; i++) {
        ft_fmt_count(rows, sizeof(rows), r->reject[i].rows);
        ft_fmt_count(line, sizeof(line), r->reject[i].first_line);
        ft_put_right(cv, b.y + 1 + (int)i, 1, 9, FT_ROLE_WARN, rows);
        ft_put(cv, b.y + 1 + (int)i, 12, 34, FT_ROLE_NORMAL, r->reject[i].reason);
        ft_putf(cv, b.y + 1 + (int)i, 47, b.w - 47, FT_ROLE_NORMAL, "first at line %s", line);
    }
}

/* 1 for the first file that was marked, and so on; 0: it is not. */
static int place_of_mark(const struct ft_con *c, const char *name)
{
    for (int i = 0; i < c->rp.n_marked; i++)
        if (strcmp(c->rp.marked[i], name) == 0)
            return i + 1;
    return 0;
}

static void toggle_mark(struct ft_con *c)
{
    const struct ft_file_row *f = c->rp.at < c->rp.n_file ? &c->rp.file[c->rp.at] : NULL;
    int at = f ? place_of_mark(c, f->name) : 0;

    if (!f || f->folder) {
        ft_say(c, "Files are marked here, one after the other as they shall be replayed.");
    } else if (at) {
        memmove(c->rp.marked[at - 1], c->rp.marked[at],
                (size_t)(--c->rp.n_marked - at + 1) * sizeof(c->rp.marked[0]));
    } else if (c->rp.n_marked == FT_MAX_MARKED) {
        ft_say(c, "No more than %d files are replayed at once.", FT_MAX_MARKED);
    } else {
        memcpy(c->rp.marked[c->rp.n_marked++], f->name, sizeof(f->name));
        c->rp.at += c->rp.at + 1 < c->rp.n_file;
    }
}

static void draw_file(struct ft_con *c, struct ft_canvas *cv, int y, int w, size_t i)
{
    const struct ft_file_row *f = &c->rp.file[i];
    char size[24] = "", rows[32] = "";
    int name_w = w >= 76 ? w - 58 : w - 12;

    if (!isnan(f->size) && !f->folder)
        ft_fmt_bytes(size, sizeof(size), (uint64_t)f->size);
    if (!isnan(f->rows))
        ft_fmt_count(rows, sizeof(rows), (uint64_t)f->rows);
    ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->rp.at ? ">" : " ");
    if (place_of_mark(c, f->name))
        ft_putf(cv, y, 2, 1, FT_ROLE_STRONG, "%d", place_of_mark(c, f->name));
    ft_putf(cv, y, 3, name_w, f->folder ? FT_ROLE_TITLE : FT_ROLE_NORMAL, "%s%s", f->name,
            f->folder ? "/" : "");
    ft_put_right(cv, y, 3 + name_w + 1, 7, FT_ROLE_NORMAL, size);
    if (w >= 76) {
        ft_put_right(cv, y, 3 + name_w + 9, 12, FT_ROLE_NORMAL, rows);
        ft_put(cv, y, 3 + name_w + 23, 6, FT_ROLE_NORMAL,
               f->folder || !f->labels_known ? ""
               : f->labels                   ? "yes"
                                             : "no");
        ft_put(cv, y, 3 + name_w + 31, w - name_w - 34, FT_ROLE_MUTED, f->state);
    }
    if (i == c->rp.at) {
        ft_select(cv, y, 0, w);
        cv->cursor_x = 0;
        cv->cursor_y = y;
    }
}

static void draw_files(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    char right[32], left[FT_PATH_MAX + 16], age[40];
    int rows = b.h - 2, name_w = b.w >= 76 ? b.w - 58 : b.w - 12;

    snprintf(right, sizeof(right), "%zu", c->rp.n_file);
    if (c->rp.n_marked)
        snprintf(right, sizeof(right), "%d marked", c->rp.n_marked);
    ft_path_fit(left + snprintf(left, sizeof(left), "files in "), sizeof(left) - 9,
                *c->rp.folder ? c->rp.folder : ".", b.w - 40, cv->ascii);
    ft_title(c, cv, b.y, b.x, b.w, left, ft_loaded_age(c, &c->rp.files, age, sizeof(age), right));
    b.y++, b.h--;
    if (b.h < 2 || !ft_loaded_draw(c, &c->rp.files, cv, b))
        return;
    if (c->rp.n_file == 0) {
        ft_put(cv, b.y, 1, b.w - 1, FT_ROLE_NORMAL,
               "No CSV file lies here (.csv, .csv.gz, .csv.zst). Enter types a name.");
        return;
    }
    ft_put(cv, b.y, 3, 20, FT_ROLE_STRONG, "FILE");
    ft_put_right(cv, b.y, 3 + name_w + 1, 7, FT_ROLE_STRONG, "SIZE");
    if (b.w >= 76) {
        ft_put_right(cv, b.y, 3 + name_w + 9, 12, FT_ROLE_STRONG, "ROWS");
        ft_put(cv, b.y, 3 + name_w + 23, 7, FT_ROLE_STRONG, "LABELS");
        ft_put(cv, b.y, 3 + name_w + 31, 20, FT_ROLE_STRONG, "LAST RUN");
    }
    if (c->rp.at < c->rp.top)
        c->rp.top = c->rp.at;
    if (c->rp.at >= c->rp.top + (size_t)rows)
        c->rp.top = c->rp.at - (size_t)rows + 1;
    for (int i = 0; i < rows && c->rp.top + (size_t)i < c->rp.n_file; i++)
        draw_file(c, cv, b.y + 1 + i, b.w, c->rp.top + (size_t)i);
}

static void draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    int rejects = (int)c->live->replay.n_reject + 1;

    if (rejects < 2)
        rejects = 2;
    if (ft_compact(cv)) {
        draw_now(c, cv, b);
        if (b.h > 7)
            draw_files(c, cv, (struct ft_box){b.y + 5, 0, b.h - 5, b.w});
        return;
    }
    draw_now(c, cv, b);
    draw_rejected(c, cv, (struct ft_box){b.y + 5, 0, rejects, b.w});
    draw_files(c, cv, (struct ft_box){b.y + 5 + rejects, 0, b.h - 5 - rejects, b.w});
}

/* ---- keys ----------------------------------------------------------------------------------------- */

static void done(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    if (!a->ok)
        ft_say_error(c, "%s", a->error);
}

static void ask(struct ft_con *c, enum ft_ask_kind kind, const char *args)
{
    if (!ft_con_ask(c, kind, done, args))
        ft_say_error(c, "The replay is not run by this console: its own process takes that.");
}

static void stop_answer(struct ft_con *c, const char *text)
{
    if (*text == 'n')
        return;
    ask(c, FT_ASK_REPLAY_STOP, *text == 'a' ? "{\"all\":true}" : NULL);
    ft_say(c, "Stopping at the next row; replay --resume goes on later.");
}

static void forgotten(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    if (a->ok)
        ft_say(c, "It waits no more.");
    else
        ft_say_error(c, "%s", a->error);
    enter(c);
}

static void forget_answer(struct ft_con *c, const char *text)
{
    char path[sizeof(c->rp.folder) + sizeof(c->rp.file->name)];
    struct ft_buf b;

    if (*text != 'y' || c->rp.at >= c->rp.n_file)
        return;
    path_of(c, c->rp.file[c->rp.at].name, path, sizeof(path));
    one_member(&b, "waiting", path);
    if (!b.failed)
        ft_con_ask(c, FT_ASK_REPLAY_STOP, forgotten, b.p);
    ft_buf_fini(&b);
}

/* A file that waits is taken back; else the replay that runs is stopped. */
static bool waits(const struct ft_con *c)
{
    return c->rp.at < c->rp.n_file && c->rp.file[c->rp.at].waiting;
}

static void ask_stop(struct ft_con *c)
{
    if (waits(c))
        ft_prompt_key(c, "Not to be replayed any more, this file that waits?   y yes   n no", "yn",
                      forget_answer);
    else if (c->live->replay.waiting)
        ft_prompt_key(c, "Stop it?   y yes, and begin the next   a stop all that wait too   n no",
                      "yan", stop_answer);
    else
        ft_prompt_key(c, "Stop the replay? It can go on later with --resume.   y yes   n no", "yn",
                      stop_answer);
}

static void change_rate(struct ft_con *c, bool up)
{
    double r = c->live->replay.rate_limit, next;
    char args[64], n[32];

    if (r <= 0)
        next = up ? 0 : 500000;
    else
        next = up ? r * 2 : r / 2;
    if (next > 1000000)
        next = 0;
    if (r > 0 && next < 1 && !up)
        next = 1;
    snprintf(args, sizeof(args), "{\"rate\":%.0f}", next);
    ask(c, FT_ASK_REPLAY_RATE, args);
    ft_fmt_count(n, sizeof(n), (uint64_t)next);
    ft_say(c, next > 0 ? "Rate: %s tx/s." : "Rate: no limit.", n);
}

static void parent(char *folder)
{
    char *slash = strrchr(folder, '/');

    if (slash && slash != folder)
        *slash = '\0';
    else if (slash)
        slash[1] = '\0';
    else
        snprintf(folder, 4, "%s", "..");
}

/* A path behind those in the form; in quotes when it holds a blank. */
static void add_to_form(struct ft_con *c, const char *name)
{
    char *form = c->rp.form[FIELD_FILE];
    size_t n = strlen(form), size = sizeof(c->rp.form[0]);
    char path[sizeof(c->rp.folder) + sizeof(c->rp.file->name)];
    const char *quote;

    path_of(c, name, path, sizeof(path));
    quote = strchr(path, ' ') ? "\"" : "";
    if ((size_t)snprintf(form + n, size - n, "%s%s%s%s", n ? " " : "", quote, path, quote) >=
        size - n) {
        form[n] = '\0';
        ft_say(c, "Not all marked files fit; the form holds the first ones.");
    }
}

static void open_file(struct ft_con *c)
{
    const struct ft_file_row *f = c->rp.at < c->rp.n_file ? &c->rp.file[c->rp.at] : NULL;
    char path[sizeof(c->rp.folder) + sizeof(c->rp.file->name)];

    if (f && f->folder) {
        snprintf(path, sizeof(path), "%s", c->rp.folder);
        if (strcmp(f->name, "..") == 0)
            parent(path);
        else
            path_of(c, f->name, path, sizeof(path));
        go_to(c, path);
        return;
    }
    c->rp.form[FIELD_FILE][0] = '\0';
    for (int i = 0; i < c->rp.n_marked; i++)
        add_to_form(c, c->rp.marked[i]);
    if (f && !c->rp.n_marked)
        add_to_form(c, f->name);
    snprintf(c->rp.form[FIELD_LABEL], sizeof(c->rp.form[0]), "%s", f ? f->label : "");
    if (!c->rp.form[FIELD_RATE][0])
        snprintf(c->rp.form[FIELD_RATE], sizeof(c->rp.form[0]), "100");
    c->rp.field = FIELD_RATE;
    ft_con_push(c, FT_PLACE_START);
}

static bool is_found(const struct ft_con *c, int i)
{
    return ft_text_holds(c->rp.file[i].name, c->rp.search);
}

static void find(struct ft_con *c, int dir)
{
    int i = ft_find_around(c, (int)c->rp.n_file, (int)c->rp.at, dir, is_found);

    if (i >= 0)
        c->rp.at = (size_t)i;
    else
        ft_say(c, "\"%s\" is not in this folder.", c->rp.search);
}

static void search_typed(struct ft_con *c, const char *text)
{
    if (*text == '/') {
        go_to(c, text);
        return;
    }
    snprintf(c->rp.search, sizeof(c->rp.search), "%s", text);
    if (*text)
        find(c, 1);
}

/* The selected file's last run; else the newest run may have. */
static bool has_rejects(const struct ft_con *c)
{
    return c->rp.at < c->rp.n_file && c->rp.file[c->rp.at].rejects;
}

static bool act(struct ft_con *c, enum ft_act a)
{
    const struct ft_replay_view *r = &c->live->replay;
    int at = (int)c->rp.at;

    switch (a) {
    case FT_ACT_OPEN:
        open_file(c);
        return true;
    case FT_ACT_PAUSE:
        ask(c, FT_ASK_REPLAY_PAUSE, r->paused ? "{\"pause\":false}" : "{\"pause\":true}");
        return true;
    case FT_ACT_STOP:
        ask_stop(c);
        return true;
    case FT_ACT_RATE_DOWN:
    case FT_ACT_RATE_UP:
        change_rate(c, a == FT_ACT_RATE_UP);
        return true;
    case FT_ACT_REJECTS:
        snprintf(c->rp.rejects_of, sizeof(c->rp.rejects_of), "%s",
                 has_rejects(c) ? c->rp.file[at].name : "");
        ft_loaded_drop(&c->rp.rejects);
        ft_con_push(c, FT_PLACE_REJECTS);
        return true;
    case FT_ACT_SEARCH:
        ft_prompt_text(c, "search (/FOLDER goes there)", "", search_typed);
        return true;
    case FT_ACT_SEARCH_NEXT:
    case FT_ACT_SEARCH_PREV:
        if (*c->rp.search)
            find(c, a == FT_ACT_SEARCH_NEXT ? 1 : -1);
        return true;
    case FT_ACT_MARK:
        toggle_mark(c);
        return true;
    case FT_ACT_UNMARK:
        c->rp.n_marked = 0;
        return true;
    default:
        if (!ft_scroll_act(a, 10, &at))
            return false;
        c->rp.at = at < 0 || !c->rp.n_file      ? 0
                   : (size_t)at >= c->rp.n_file ? c->rp.n_file - 1
                                                : (size_t)at;
        return true;
    }
}

static bool can(const struct ft_con *c, enum ft_act a)
{
    const struct ft_replay_view *r = &c->live->replay;

    if (a == FT_ACT_STOP && waits(c))
        return true;
    if (a == FT_ACT_PAUSE || a == FT_ACT_STOP || a == FT_ACT_RATE_UP)
        return r->active;
    if (a == FT_ACT_REJECTS)
        return r->rejected > 0 || has_rejects(c);
    return true;
}

static const enum ft_act hints[] = {FT_ACT_OPEN,    FT_ACT_PAUSE, FT_ACT_STOP,   FT_ACT_RATE_UP,
                                    FT_ACT_REJECTS, FT_ACT_MARK,  FT_ACT_SEARCH, FT_N_ACTS};

const struct ft_view ft_view_replay = {
    .letter = 'R',
    .title = "Replay",
    .tip = "Tip: {open} on a file opens a form; nothing is sent before its last line, start",
    .hints = hints,
    .draw = draw,
    .act = act,
    .enter = enter,
    .tick = on_tick,
    .can = can};

/* ---- the start form ------------------------------------------------------------------------------- */

static const struct {
    const char *name, *help;
} field[N_FIELDS] = {
    {"file",  "CSV; Space on the list marks several"  },
    {"rate",  "transactions a second, or max"         },
    {"speed", "times faster than life; empty: by rate"},
    {"label", "its label column; empty: none"         },
    {"limit", "rows; empty: all"                      },
    {"start", "Enter starts"                          },
};

static void form_typed(struct ft_con *c, const char *text)
{
    snprintf(c->rp.form[c->rp.field], sizeof(c->rp.form[0]), "%s", text);
    if (c->rp.field < FIELD_START)
        c->rp.field++;
}

/* The next of the files of the form; those with a blank stand in quotes. */
static bool next_file(const char **p, struct ft_span *name)
{
    bool quoted;

    *p += strspn(*p, " ");
    if (!**p)
        return false;
    quoted = **p == '"';
    *p += quoted;
    *name = (struct ft_span){*p, strcspn(*p, quoted ? "\"" : " ")};
    *p += name->n;
    *p += quoted && **p == '"';
    return true;
}

static bool number_or(const char *text, const char *word, double fallback, double *out)
{
    char *end;

    *out = fallback;
    if (!*text || (word && strcmp(text, word) == 0))
        return true;
    *out = strtod(text, &end);
    return !*end && *out >= 0 && isfinite(*out);
}

static void started(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    double waiting = ft_js_number(json, "waiting");

    if (!a->ok)
        ft_say_error(c, "Not started: %s", a->error);
    else if (waiting > 0)
        ft_say(c,
               waiting > 1 ? "Waits until the present replay has ended; %.0f files wait now."
                           : "Waits until the present replay has ended.",
               waiting);
    else
        ft_say(c, "Started%s%s.", *ft_js_text(json, "run") ? ": run " : "",
               ft_js_text(json, "run"));
    c->rp.n_marked = 0;
    enter(c);
}

static void start(struct ft_con *c)
{
    double rate, speed, limit;
    const char *p = c->rp.form[FIELD_FILE];
    struct ft_buf b;
    struct ft_span name;
    bool first = true;

    if (!p[strspn(p, " ")]) {
        ft_say_error(c, "Which file?");
        c->rp.field = FIELD_FILE;
        return;
    }
    if (!number_or(c->rp.form[FIELD_RATE], "max", 0, &rate) ||
        !number_or(c->rp.form[FIELD_SPEED], NULL, 0, &speed) ||
        !number_or(c->rp.form[FIELD_LIMIT], NULL, 0, &limit)) {
        ft_say_error(c, "rate, speed and limit are numbers (rate may be max).");
        return;
    }
    ft_buf_init(&b, 8192);
    ft_buf_text(&b, "{\"files\":[");
    while (next_file(&p, &name)) {
        ft_buf_text(&b, first ? "" : ",");
        ft_buf_json(&b, name);
        first = false;
    }
    ft_buf_text(&b, "],\"rate\":");
    ft_buf_double(&b, rate);
    ft_buf_text(&b, ",\"speed\":");
    ft_buf_double(&b, speed);
    ft_buf_text(&b, ",\"limit\":");
    ft_buf_double(&b, limit);
    ft_buf_text(&b, ",\"label\":");
    ft_buf_json(&b, ft_span_of(c->rp.form[FIELD_LABEL]));
    ft_buf_char(&b, '}');
    if (b.failed || !ft_con_ask(c, FT_ASK_REPLAY_START, started, b.p))
        ft_say_error(c, "This console starts no replay; run: fraudtop replay FILE");
    else
        ft_say(c, "Starting ...");
    ft_buf_fini(&b);
    ft_con_pop(c);
}

/* One file: the end of its path; several: how many, and their names. */
static void show_files(const struct ft_con *c, char *out, size_t size, int w, bool ascii)
{
    const char *p = c->rp.form[FIELD_FILE];
    char names[sizeof(c->rp.form[0])] = "";
    struct ft_span one;
    size_t n = 0, at = 0;

    while (next_file(&p, &one)) {
        size_t base = one.n;

        while (base && one.p[base - 1] != '/')
            base--;
        at += (size_t)snprintf(names + at, sizeof(names) - at, " %.*s", (int)(one.n - base),
                               one.p + base);
        n++;
    }
    if (n > 1)
        snprintf(out, size, "%zu files:%s", n, names);
    else
        ft_path_fit(out, size, c->rp.form[FIELD_FILE], w, ascii);
}

static void draw_field(const struct ft_con *c, struct ft_canvas *cv, int y, int w, int i)
{
    char value[sizeof(c->rp.form[0])];
    int help_x = w > 120 ? w - 46 : 41, used = 0;

    ft_put(cv, y, 1, 1, FT_ROLE_STRONG, i == c->rp.field ? ">" : " ");
    ft_put(cv, y, 3, 8, FT_ROLE_STRONG, field[i].name);
    if (i == FIELD_FILE)
        show_files(c, value, sizeof(value), w - 13, cv->ascii);
    else
        snprintf(value, sizeof(value), "%s", c->rp.form[i]);
    if (i == FIELD_START)
        help_x = 12;
    else
        used = ft_put(cv, y, 12, i == FIELD_FILE ? w - 13 : help_x - 13, FT_ROLE_NORMAL,
                      *value ? value : "-");
    if (12 + used < help_x || i == FIELD_START) /* a long name needs the room */
        ft_put(cv, y, help_x, w - help_x, FT_ROLE_MUTED, field[i].help);
}

static void start_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    ft_title(c, cv, b.y, b.x, b.w, "start a replay", "Enter changes, Esc back");
    for (int i = 0; i < N_FIELDS && i + 2 < b.h; i++) {
        int y = b.y + 2 + i;

        draw_field(c, cv, y, b.w, i);
        if (i == c->rp.field) {
            ft_select(cv, y, 0, b.w);
            cv->cursor_x = 0;
            cv->cursor_y = y;
        }
    }
    if (b.h > N_FIELDS + 4)
        ft_put(cv, b.y + N_FIELDS + 3, 3, b.w - 3, FT_ROLE_MUTED,
               "The same from a shell: fraudtop replay FILE --rate N --label NAME --limit N");
}

static bool start_act(struct ft_con *c, enum ft_act a)
{
    if (a == FT_ACT_DOWN || a == FT_ACT_NEXT_PANE) {
        c->rp.field = (c->rp.field + 1) % N_FIELDS;
        return true;
    }
    if (a == FT_ACT_UP || a == FT_ACT_PREV_PANE) {
        c->rp.field = (c->rp.field + N_FIELDS - 1) % N_FIELDS;
        return true;
    }
    if (a == FT_ACT_FIRST || a == FT_ACT_LAST) {
        c->rp.field = a == FT_ACT_FIRST ? 0 : FIELD_START;
        return true;
    }
    if (a != FT_ACT_OPEN)
        return false;
    if (c->rp.field == FIELD_START) {
        start(c);
        return true;
    }
    ft_prompt_text(c, field[c->rp.field].name, c->rp.form[c->rp.field], form_typed);
    c->prompt.limit = sizeof(c->rp.form[0]);
    return true;
}

static const enum ft_act start_hints[] = {FT_ACT_OPEN, FT_N_ACTS};

const struct ft_view ft_view_start = {.letter = 'F',
                                      .title = "Start form",
                                      .hints = start_hints,
                                      .draw = start_draw,
                                      .act = start_act};

/* ---- rejected rows -------------------------------------------------------------------------------- */

static void rejects_answer(struct ft_con *c, const struct ft_answer *a, const cJSON *json)
{
    (void)json;
    ft_loaded_take(c, &c->rp.rejects, a);
}

static void rejects_enter(struct ft_con *c)
{
    char path[sizeof(c->rp.folder) + sizeof(c->rp.file->name)] = "";
    struct ft_buf b;

    c->rp.reject_scroll = 0;
    if (*c->rp.rejects_of)
        path_of(c, c->rp.rejects_of, path, sizeof(path));
    ft_buf_init(&b, 8192);
    ft_buf_text(&b, "{\"limit\":1000,\"file\":");
    ft_buf_json(&b, ft_span_of(path));
    ft_buf_char(&b, '}');
    if (!b.failed)
        ft_con_load(c, &c->rp.rejects, FT_ASK_REJECTS, rejects_answer, b.p);
    ft_buf_fini(&b);
}

static void rejects_draw(struct ft_con *c, struct ft_canvas *cv, struct ft_box b)
{
    const cJSON *one, *rows = cJSON_GetObjectItemCaseSensitive(c->rp.rejects.json, "rows");
    char left[sizeof(c->rp.rejects_of) + 32], right[64];
    int n = 0, most = cJSON_GetArraySize(rows) - (b.h - 2);
    int text_x = c->masked && b.w > 65 ? b.w - 20 : 45; /* of the text nothing is shown then */

    snprintf(left, sizeof(left),
             *c->rp.rejects_of ? "rejected rows of %s, last run" : "rejected rows",
             c->rp.rejects_of);
    snprintf(right, sizeof(right), "%.0f", ft_js_number(c->rp.rejects.json, "total"));
    ft_title(c, cv, b.y, b.x, b.w, left, c->rp.rejects.have ? right : "");
    b.y++, b.h--;
    if (!ft_loaded_draw(c, &c->rp.rejects, cv, b))
        return;
    if (!cJSON_GetArraySize(rows)) {
        ft_put(cv, b.y, 1, b.w - 1, FT_ROLE_MUTED, "No row was rejected.");
        return;
    }
    if (c->rp.reject_scroll > most)
        c->rp.reject_scroll = most > 0 ? most : 0;
    ft_put_right(cv, b.y, 1, 10, FT_ROLE_STRONG, "LINE");
    ft_put(cv, b.y, 13, 30, FT_ROLE_STRONG, "REASON");
    ft_put(cv, b.y, text_x, b.w - text_x, FT_ROLE_STRONG, "TEXT");
    cJSON_ArrayForEach(one, rows)
    {
        int y = b.y + 1 + n - c->rp.reject_scroll;
        char line[32];

        if (n >= c->rp.reject_scroll && n - c->rp.reject_scroll < b.h - 1) {
            ft_fmt_count(line, sizeof(line), (uint64_t)fmax(0, ft_js_number(one, "line")));
            ft_put_right(cv, y, 1, 10, FT_ROLE_NORMAL, line);
            ft_put(cv, y, 13, text_x - 15, FT_ROLE_WARN, ft_js_text(one, "reason"));
            ft_put(cv, y, text_x, b.w - text_x, FT_ROLE_MUTED,
                   c->masked ? "(m shows the text)" : ft_js_text(one, "text"));
        }
        n++;
    }
}

static bool rejects_act(struct ft_con *c, enum ft_act a)
{
    return ft_scroll_act(a, 15, &c->rp.reject_scroll) || a == FT_ACT_OPEN;
}

const struct ft_view ft_view_rejects = {.letter = 'J',
                                        .title = "Rejected rows",
                                        .draw = rejects_draw,
                                        .act = rejects_act,
                                        .enter = rejects_enter};
