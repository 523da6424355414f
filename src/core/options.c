#include "fraudtop/config.h"

#include <string.h>

#define ALL FT_CMD_ALL
#define PIPE (FT_CMD_DEMO | FT_CMD_REPLAY | FT_CMD_RUN)
#define STAGES (PIPE | FT_CMD_SCORE | FT_CMD_SINK | FT_CMD_BENCH)
#define SCREEN (FT_CMD_CONSOLE | FT_CMD_DEMO | FT_CMD_SNAPSHOT)
#define SCORES (FT_CMD_DEMO | FT_CMD_RUN | FT_CMD_SCORE | FT_CMD_BENCH)
#define SINKS (FT_CMD_DEMO | FT_CMD_RUN | FT_CMD_SINK | FT_CMD_BENCH)
#define LABELS (PIPE | FT_CMD_SCORE | FT_CMD_EVALUATE | FT_CMD_EXPLAIN | FT_CMD_FEATURES)
#define LISTS (FT_CMD_CASES | FT_CMD_TOPICS)
#define REVIEW (FT_CMD_CONSOLE | FT_CMD_DEMO | FT_CMD_CASES | FT_CMD_THRESHOLD | FT_CMD_MODEL)
#define SHOWS (SCREEN | FT_CMD_CASES | FT_CMD_WATCH | FT_CMD_HANDOVER | FT_CMD_TOPICS)

#define FLAG(key, name, letter, cmds, help)                                                        \
    {                                                                                              \
        key, name, letter, cmds, FT_OPT_FLAG, "off", 0, 0, NULL, "", help                          \
    }
#define TEXT(key, name, letter, cmds, type, fallback, arg, help)                                   \
    {                                                                                              \
        key, name, letter, cmds, type, fallback, 0, 0, arg, "", help                               \
    }

/*
 * One row an option.  The order is that of --help and of the manual.  The same long name may stand in several rows when
 * no command has two of them.
 */
/* clang-format off */
const struct ft_option ft_options[] = {
    /* what means the same everywhere */
    TEXT("service.brokers", "brokers", 'b', ALL, FT_OPT_TEXT, "localhost:9092", "LIST",
         "Kafka's bootstrap servers, HOST:PORT with commas between."),
    TEXT("service.database", "database", 'd', ALL, FT_OPT_TEXT, "", "CONNINFO",
         "PostgreSQL's connection string (libpq); no password in it: use .pgpass or PGPASSWORD."),
    TEXT("model.path", "model", 'm', ALL & ~FT_CMD_EVALUATE, FT_OPT_PATH, NULL, "DIR|FILE",
         "Model: a name, a folder with manifest.json, or a CatBoost file; default seed-004, in demo the best there is."),
    {"model.threshold", "threshold", 0, ALL, FT_OPT_REAL, NULL, -1e300, 1e300, "X", "",
     "Flag scores above X instead of above the model's own threshold."},
    FLAG("model.force", "force-model", 0, ALL, "Use a model although its check rows do not reproduce."),
    TEXT("service.property", "property", 'X', ALL, FT_OPT_LIST, NULL, "PROP=VALUE",
         "Set a librdkafka property; producer:, consumer: and topic. in front limit it; -X list prints all."),
    TEXT("service.kafka_config", "kafka-config", 0, ALL, FT_OPT_PATH, NULL, "FILE",
         "Read librdkafka properties, a name=value a line, from FILE."),
    FLAG("service.unsafe", "unsafe", 0, ALL, "Allow properties that break a guarantee (acks=0, ...)."),
    {"service.connect_timeout", "connect-timeout", 0, ALL, FT_OPT_DURATION, "10s", 0, 86400, "TIME", "s",
     "Longest wait for a service at the start; score and sink wait for ever unless it is given."},
    TEXT("service.group", "group", 0, ALL, FT_OPT_TEXT, NULL, "NAME",
         "Consumer group of the stages that this process runs, or looks at."),
    TEXT("general.config", "config", 'c', ALL, FT_OPT_PATH, NULL, "FILE",
         "Read this configuration file instead of $XDG_CONFIG_HOME/fraudtop/config."),
    TEXT("general.profile", "profile", 0, ALL, FT_OPT_TEXT, NULL, "NAME",
         "Let the section [profile.NAME] of the configuration file count."),
    FLAG("output.json", "json", 0, ALL, "Print one JSON object, or one a line; errors too."),
    TEXT("output.color", "color", 0, ALL, FT_OPT_CHOICE, "auto", "auto|always|never",
         "Colour; auto: on a terminal, unless NO_COLOR is set."),
    FLAG("output.no_color", "no-color", 0, ALL, "The same as --color=never."),
    FLAG("output.quiet", "quiet", 'q', ALL, "Errors only on standard error."),
    TEXT("output.verbose", "verbose", 'v', ALL, FT_OPT_COUNT, "0", NULL, "Say more; twice: everything."),
    TEXT("output.progress", "progress", 0, ALL, FT_OPT_CHOICE, "auto", "auto|none|plain|json",
         "How progress is told on standard error."),
    FLAG("output.yes", "yes", 'y', ALL, "Answer yes to every question."),
    FLAG("output.help", "help", 'h', ALL, "Show help and end."),
    FLAG("output.version", "version", 0, ALL, "Show the version and end."),
    TEXT("output.file", "output", 'o',
         FT_CMD_SCORE | FT_CMD_FEATURES | FT_CMD_GENERATE | FT_CMD_CASES | FT_CMD_SNAPSHOT | FT_CMD_HANDOVER,
         FT_OPT_PATH, NULL, "FILE", "Write the result to FILE instead of standard output."),

    /* replay */
    {"replay.rate", "rate", 0, PIPE | FT_CMD_CONSOLE, FT_OPT_RATE, NULL, 0.001, 1e7, "N|max", "tx/s",
     "Transactions a second; default: run max, replay and demo 100. What goes at max is not compressed."},
    {"replay.speed", "speed", 0, PIPE | FT_CMD_CONSOLE, FT_OPT_REAL, NULL, 1e-6, 1e9, "X", "",
     "Send by transaction_time, X times faster than life."},
    {"replay.limit", "limit", 0, PIPE | FT_CMD_SCORE | FT_CMD_EVALUATE | FT_CMD_FEATURES | FT_CMD_CONSOLE, FT_OPT_INT,
     "0", 0, 9e15, "N", "rows", "Read N rows at the most; 0: all."},
    TEXT("replay.label", "label", 0, LABELS | FT_CMD_CONSOLE, FT_OPT_TEXT, NULL, "NAME",
         "Column that holds the truth (0, 1 or empty); never shown to a model."),
    TEXT("replay.quarantine", "quarantine", 0, PIPE | FT_CMD_SCORE | FT_CMD_EVALUATE | FT_CMD_FEATURES, FT_OPT_PATH,
         NULL, "FILE", "Where bad rows go (- is standard output); default: in the state folder under the run's id."),
    TEXT("replay.resume", "resume", 0, PIPE, FT_OPT_TEXT, NULL, "RUN", "Go on with a run that ended early."),
    TEXT("replay.run_id", "run-id", 0, PIPE, FT_OPT_TEXT, NULL, "RUN",
         "Give the run its identity by hand: the same ids again."),
    TEXT("replay.ids", "ids", 0, PIPE, FT_OPT_CHOICE, "row", "row|time|random",
         "Transaction ids: from run and row (default; run takes no others), by time, or random."),
    FLAG("replay.no_journal", "no-journal", 0, PIPE, "Go on where no journal can be written; no resume then."),
    FLAG("replay.strict", "strict", 0, PIPE, "End at the first bad row."),

    /* score, sink */
    TEXT("score.group", NULL, 0, ALL, FT_OPT_TEXT, "fraudtop-score", "NAME", "Consumer group of the scorers."),
    {"score.threads", "threads", 0, SCORES | FT_CMD_EVALUATE | FT_CMD_FEATURES, FT_OPT_INT, "0", 0, 1024, "N", "threads",
     "Threads that score; 0: as many as there are cores (files), or one (Kafka)."},
    {"score.reasons", "reasons", 0, SCORES, FT_OPT_INT, "5", 0, 1000, "N", "",
     "Strongest reasons kept with a flagged transaction; with files and --json: of every row (default then 0)."},
    FLAG("score.exactly_once", "exactly-once", 0, SCORES, "Make the topic of scores free of repeats, at the price of latency."),
    {"score.commit_interval", "commit-interval", 0, SCORES, FT_OPT_DURATION, "100ms", 1, 60000, "TIME", "ms",
     "With --exactly-once: how often a transaction is committed."},
    {"score.state_interval", "state-interval", 0, SCORES, FT_OPT_DURATION, "1s", 10, 60000, "TIME", "ms",
     "How often customers' states and offsets are committed together."},
    {"score.state_gap", "state-gap", 0, SCORES | FT_CMD_EVALUATE | FT_CMD_EXPLAIN | FT_CMD_FEATURES, FT_OPT_DURATION, NULL, 0, 3660, "TIME", "d",
     "A customer who was away longer, in event time, starts anew; 0: never; default: the manifest's."},
    FLAG("score.rebuild_state", "rebuild-state", 0, SCORES, "Make the state anew from the topic of transactions."),
    TEXT("score.challenger", "challenger", 0, SCORES, FT_OPT_PATH, NULL, "DIR|FILE",
         "A second model that scores the same traffic for comparison only; in demo seed-004."),
    {"score.sample", "sample", 0, SCORES, FT_OPT_REAL, "0", 0, 1, "SHARE", "",
     "Share of transactions below the threshold that are sent to review too."},
    TEXT("sink.group", NULL, 0, ALL, FT_OPT_TEXT, "fraudtop-sink", "NAME", "Consumer group of the sinks."),
    {"sink.batch_rows", "batch-rows", 0, SINKS, FT_OPT_INT, "1000", 1, 100000, "N", "rows", "Rows in one database transaction."},
    {"sink.batch_age", "batch-age", 0, SINKS, FT_OPT_DURATION, "5ms", 1, 60000, "TIME", "ms",
     "Longest wait for a batch to fill."},
    {"sink.writers", "writers", 0, SINKS, FT_OPT_INT, "2", 1, 16, "N", "",
     "Connections that write to PostgreSQL side by side, each for partitions of its own."},

    /* topics */
    TEXT("topics.transactions", "transactions-topic", 0, ALL, FT_OPT_TEXT, "transactions", "NAME", "Topic of the transactions."),
    TEXT("topics.scoring", "scoring-topic", 0, ALL, FT_OPT_TEXT, "scoring", "NAME", "Topic of the verdicts."),
    TEXT("topics.control", NULL, 0, ALL, FT_OPT_TEXT, "fraudtop.control", "NAME", "Topic of what is in force."),
    TEXT("topics.status", NULL, 0, ALL, FT_OPT_TEXT, "fraudtop.status", "NAME", "Topic of the heartbeats."),
    {"topics.partitions", "partitions", 0, STAGES | FT_CMD_CONSOLE, FT_OPT_INT, "3", 1, 10000, "N", "",
     "Partitions of topics that are made."},
    {"topics.replication", "replication", 0, STAGES | FT_CMD_CONSOLE, FT_OPT_INT, "1", 1, 100, "N", "",
     "Replicas of topics that are made."},
    {"topics.retention", "retention", 0, STAGES | FT_CMD_CONSOLE, FT_OPT_DURATION, "7d", 0, 36500, "TIME", "d",
     "How long topics that are made keep messages; 0: the broker's default."},
    {"topics.create", "create-topics", 0, STAGES | FT_CMD_CONSOLE, FT_OPT_FLAG, "on", 0, 0, NULL, "",
     "Make topics that are missing."},

    /* customers' keys */
    TEXT("key.secret", NULL, 0, ALL, FT_OPT_SECRET, NULL, "HEX",
         "Secret of the message keys, 32 hexadecimal digits; the same in all processes of a pipeline."),
    TEXT("key.file", NULL, 0, ALL, FT_OPT_PATH, NULL, "FILE",
         "File that holds the secret (mode 0600); default: key.secret in the state folder, made at first use."),

    /* evaluate, explain, features, generate */
    TEXT("evaluate.model", "model", 'm', FT_CMD_EVALUATE, FT_OPT_LIST, NULL, "DIR|FILE",
         "Model; given again: several side by side.  Default: the one of the settings, else seed-004."),
    {"evaluate.beta", "beta", 0, FT_CMD_EVALUATE, FT_OPT_REAL, "1", 0.001, 1000, "X", "", "Weight of recall in F-beta."},
    {"evaluate.fpr", "fpr", 0, FT_CMD_EVALUATE, FT_OPT_REAL, "0.05", 0, 1, "X", "",
     "Also the best threshold with a false-positive rate of at most X."},
    {"evaluate.recall", "recall", 0, FT_CMD_EVALUATE, FT_OPT_REAL, NULL, 0, 1, "X", "",
     "Also the most precise threshold with a recall of at least X."},
    TEXT("evaluate.curve", "curve", 0, FT_CMD_EVALUATE, FT_OPT_PATH, NULL, "FILE",
         "Write the curve of all thresholds as CSV; - is standard output, without the table."),
    {"explain.row", "row", 0, FT_CMD_EXPLAIN, FT_OPT_INT, NULL, 0, 9e15, "N", "", "The row to explain, counted from 0."},
    TEXT("features.stage", "stage", 0, FT_CMD_FEATURES, FT_OPT_TEXT, NULL, "NAME",
         "The stage whose features are printed; default: the last one."),
    TEXT("features.stage_scores", "stage-scores", 0, FT_CMD_FEATURES, FT_OPT_PATH, NULL, "FILE",
         "Take the first stage's log-odds by row from FILE instead of computing them."),
    {"generate.rows", "rows", 0, FT_CMD_GENERATE, FT_OPT_INT, "10000", 0, 9e15, "N", "rows", "Transactions to make."},
    {"generate.customers", "customers", 0, FT_CMD_GENERATE, FT_OPT_INT, "1000", 1, 1e9, "N", "", "Customers to make them for."},
    {"generate.fraud", "fraud-rate", 0, FT_CMD_GENERATE, FT_OPT_REAL, "0.005", 0, 1, "SHARE", "", "Share of frauds."},
    {"generate.days", "days", 0, FT_CMD_GENERATE, FT_OPT_REAL, "180", 0.001, 36500, "N", "days", "Span of event time."},
    TEXT("generate.start", "start", 0, FT_CMD_GENERATE, FT_OPT_TEXT, "2019-01-01", "DATE", "First day of event time."),
    {"generate.seed", "seed", 0, FT_CMD_GENERATE | SCREEN, FT_OPT_INT, "1", 0, 9e15, "N", "",
     "Same seed, same transactions or same scene."},

    /* threshold, topics, cases, handover, watch */
    {"threshold.at", "at", 0, FT_CMD_THRESHOLD, FT_OPT_REAL, NULL, -1e300, 1e300, "X", "", "The threshold that is tried."},
    TEXT("review.note", "note", 0, FT_CMD_CASES | FT_CMD_THRESHOLD | FT_CMD_MODEL, FT_OPT_TEXT, NULL, "TEXT",
         "Note that is kept with a decision, a threshold or a promotion."),
    TEXT("review.reason", "reason", 0, FT_CMD_CASES, FT_OPT_TEXT, NULL, "CODE", "Reason code of a decision."),
    TEXT("review.until", "until", 0, FT_CMD_CASES, FT_OPT_TEXT, NULL, "TIME",
         "When a snoozed case comes back: 4h, 2d, or a time in UTC."),
    TEXT("review.as", "as", 0, REVIEW, FT_OPT_TEXT, NULL, "NAME", "Who decides; default: the login name."),
    FLAG("review.read_only", "read-only", 0, REVIEW | FT_CMD_SNAPSHOT, "Look only: nothing can be decided or applied."),
    FLAG("review.note_required", NULL, 0, ALL, "Every decision wants a note."),
    {"review.time_limit", NULL, 0, ALL, FT_OPT_DURATION, "30m", 1, 525600, "TIME", "m", "A case open for longer is over time."},
    {"review.claim", NULL, 0, ALL, FT_OPT_DURATION, "30m", 1, 525600, "TIME", "m", "A claim lapses after this time."},
    {"review.undo", NULL, 0, ALL, FT_OPT_DURATION, "10m", 0, 525600, "TIME", "m", "How long a decision can be undone."},
    TEXT("list.filter", "filter", 0, FT_CMD_CASES | FT_CMD_WATCH | FT_CMD_CONSOLE, FT_OPT_TEXT, NULL, "EXPR",
         "Only what matches, e.g. 'score>=0.8 amount>500 category=misc_net'."),
    TEXT("list.sort", "sort", 0, FT_CMD_CASES, FT_OPT_CHOICE, "risk", "risk|score|amount|waiting",
         "Order; risk is score times amount."),
    {"list.limit", "limit", 0, LISTS | FT_CMD_WATCH, FT_OPT_INT, "100", 0, 9e15, "N", "", "Lines at the most; 0: all."},
    TEXT("list.since", "since", 0,
         LISTS | FT_CMD_WATCH | FT_CMD_HANDOVER | FT_CMD_THRESHOLD, FT_OPT_TEXT, NULL, "TIME",
         "From when on: 8h, 7d (ago), or a time in UTC."),
    TEXT("list.format", "format", 0, FT_CMD_CASES, FT_OPT_CHOICE, "csv", "csv|jsonl", "Format of an export."),
    FLAG("list.spreadsheet", "spreadsheet", 0, FT_CMD_CASES,
         "Put ' before cells that a spreadsheet would take for a formula."),
    FLAG("list.all", "all", 'a', FT_CMD_CASES | FT_CMD_TOPICS, "Closed cases too; topics: internal ones too."),
    {"topics.partition", "partition", 0, FT_CMD_TOPICS, FT_OPT_INT, NULL, 0, 1e9, "N", "", "Only this partition."},
    TEXT("topics.offset", "offset", 0, FT_CMD_TOPICS, FT_OPT_TEXT, NULL, "N",
         "Begin at this offset; negative: that many before the end."),
    FLAG("topics.follow", "follow", 'f', FT_CMD_TOPICS, "Go on with messages as they come."),
    FLAG("watch.plain", "plain", 0, FT_CMD_WATCH, "Lines only: for screen readers, logs and braille lines."),
    {"watch.interval", "interval", 0, FT_CMD_WATCH, FT_OPT_DURATION, NULL, 0.1, 86400, "TIME", "s",
     "How often figures are printed; default: 1 s, with --plain 1 m."},
    {"watch.count", "count", 'n', FT_CMD_WATCH, FT_OPT_INT, "0", 0, 9e15, "N", "", "End after N figures; 0: never."},

    /* bench */
    TEXT("bench.steps", "steps", 0, FT_CMD_BENCH, FT_OPT_TEXT, "50,400,2000,max", "LIST", "Rates to try, one after the other."),
    {"bench.seconds", "seconds", 0, FT_CMD_BENCH, FT_OPT_DURATION, "60s", 1, 86400, "TIME", "s", "Length of a step."},
    {"bench.warmup", "warmup", 0, FT_CMD_BENCH, FT_OPT_DURATION, "10s", 0, 86400, "TIME", "s", "Time before figures count."},
    {"bench.p99", "max-p99", 0, FT_CMD_BENCH, FT_OPT_DURATION, "300ms", 1, 3600000, "TIME", "ms",
     "A step with a higher p99 latency is not held."},

    /* the console */
    TEXT("display.screen", "screen", 0, SCREEN, FT_OPT_CHOICE, "live", "live|queue|threshold|replay|health|log",
         "The screen to begin with, or to draw."),
    TEXT("display.mask", "mask", 0, SHOWS, FT_OPT_CHOICE, "on", "on|off", "Mask names and streets."),
    TEXT("display.theme", "theme", 0, SCREEN, FT_OPT_CHOICE, "default", "default|light|mono|high-contrast|colour-blind",
         "Colours of the console."),
    FLAG("display.ascii", "ascii", 0, SCREEN, "Draw with ASCII only."),
    TEXT("display.graph", NULL, 0, ALL, FT_OPT_CHOICE, "auto", "auto|braille|block|ascii", "Signs that charts are drawn with."),
    FLAG("display.mouse", "mouse", 0, SCREEN, "Use the mouse; the terminal's own selection is off then."),
    FLAG("display.slow", "slow", 0, SCREEN, "For bad lines: a frame in 5 s, no chart."),
    {"display.refresh", "refresh", 0, SCREEN, FT_OPT_DURATION, "1s", 500, 10000, "TIME", "ms", "Time between frames."},
    TEXT("display.record", "record", 0, FT_CMD_CONSOLE | FT_CMD_DEMO, FT_OPT_PATH, NULL, "FILE",
         "Write what is seen to FILE (asciicast); names and streets stay masked."),
    TEXT("display.merchant_strip_prefix", NULL, 0, ALL, FT_OPT_TEXT, "fraud_", "TEXT",
         "Left out at the front of merchants, on screen only."),
    {"display.clipboard", NULL, 0, ALL, FT_OPT_FLAG, "on", 0, 0, NULL, "", "Copy through the terminal (OSC 52)."},
    TEXT("display.cursor", NULL, 0, ALL, FT_OPT_CHOICE, "show", "show|hide", "The cursor, which stands on the selected row."),
    {"display.message", NULL, 0, ALL, FT_OPT_DURATION, "10s", 0, 3600, "TIME", "s",
     "How long a message stays; 0: until the next key, as errors do."},
    TEXT("display.bell", NULL, 0, ALL, FT_OPT_CHOICE, "off", "off|down|overtime|down,overtime",
         "Ring when Kafka or PostgreSQL goes down, or a case is over its time; at most every 30 s."),
    TEXT("display.scene", "scene", 0, SCREEN, FT_OPT_CHOICE, NULL, "normal|attack|drift|kafka-down|pg-down|lag",
         "Show a scripted scene instead of the pipeline; the screen says so."),
    TEXT("display.clock", "clock", 0, SCREEN, FT_OPT_TEXT, NULL, "TIME", "Fixed clock of a scene (UTC)."),
    TEXT("display.size", "size", 0, FT_CMD_SNAPSHOT, FT_OPT_TEXT, "80x24", "COLSxROWS", "Size of the picture."),
    TEXT("display.format", "format", 0, FT_CMD_SNAPSHOT, FT_OPT_CHOICE, "text", "text|ansi|json", "Form of the picture."),
    FLAG("demo.reset", "reset", 0, FT_CMD_DEMO, "Delete the private database of earlier demos first."),
    TEXT("display.keys", NULL, 0, ALL, FT_OPT_LIST, NULL, "ACTION=KEY", "Keys of the console by action, section [keys]; see fraudtop-keys(7)."),
    TEXT("display.colours", NULL, 0, ALL, FT_OPT_LIST, NULL, "ROLE=COLOUR", "Colours by role, section [theme]."),

    /* what no command line has */
    TEXT("alert.command", NULL, 0, ALL, FT_OPT_TEXT, NULL, "COMMAND",
         "Run by the shell when a part goes down, a lag grows for long or a case is over time; "
         "the reason is in $FRAUDTOP_ALERT."),
    {"alert.interval", NULL, 0, ALL, FT_OPT_DURATION, "1m", 1, 1440, "TIME", "m", "Time between two alerts at the least."},
    {"alert.lag", NULL, 0, ALL, FT_OPT_DURATION, "1m", 1, 86400, "TIME", "s", "A lag that grows for so long is told."},
    TEXT("log.file", NULL, 0, ALL, FT_OPT_PATH, NULL, "FILE", "Log of the console; default: log in the state folder."),
    TEXT("general.data_dir", NULL, 0, ALL, FT_OPT_PATH, NULL, "DIR", "Installed data: models and schema."),
};
/* clang-format on */
const size_t ft_n_options = sizeof(ft_options) / sizeof(ft_options[0]);

const struct ft_option *ft_option_find(const char *long_name, size_t n, int commands)
{
    for (size_t i = 0; i < ft_n_options; i++) {
        const struct ft_option *o = &ft_options[i];

        if (o->long_name && (o->commands & commands) && strlen(o->long_name) == n &&
            memcmp(o->long_name, long_name, n) == 0)
            return o;
    }
    return NULL;
}

const struct ft_option *ft_option_letter(char letter, int commands)
{
    for (size_t i = 0; i < ft_n_options; i++)
        if (ft_options[i].letter == letter && (ft_options[i].commands & commands))
            return &ft_options[i];
    return NULL;
}

static bool same_key(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
            return false;
    return *a == *b;
}

const struct ft_option *ft_option_key(const char *key)
{
    for (size_t i = 0; i < ft_n_options; i++)
        if (same_key(ft_options[i].key, key))
            return &ft_options[i];
    return NULL;
}

bool ft_option_takes_value(const struct ft_option *o)
{
    return o->type != FT_OPT_FLAG && o->type != FT_OPT_COUNT;
}

const char *ft_option_arg(const struct ft_option *o)
{
    return o->arg ? o->arg : "on|off";
}

/* The separators of names are one: a variable has _ where a key has a point and an option a dash. */
static bool same_letter(char a, char b)
{
    return a == b || (a && b && strchr("-_.", a) && strchr("-_.", b));
}

/* Edits (one letter more, less, other, or two swapped) that make b from a; both short. */
static int distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    int row[3][MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > MAX || m > MAX)
        return MAX;
    for (size_t j = 0; j <= m; j++)
        row[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int cost = up[j - 1] + !same_letter(a[i - 1], b[j - 1]);

            if (up[j] + 1 < cost)
                cost = up[j] + 1;
            if (now[j - 1] + 1 < cost)
                cost = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                up2[j - 2] + 1 < cost)
                cost = up2[j - 2] + 1;
            now[j] = cost;
        }
    }
    return row[n % 3][m];
}

const char *ft_nearest(const char *word, const char *(*next)(void *user), void *user)
{
    const char *best = NULL, *w;
    int limit = strlen(word) < 4 ? 1 : strlen(word) < 8 ? 2 : 3;

    while ((w = next(user))) {
        int d = distance(word, w);

        /* what was cut short is near as well: "eval" */
        if (d > limit && strlen(word) >= 3 && strncmp(word, w, strlen(word)) == 0)
            d = limit;
        if (d <= limit) {
            best = w;
            limit = d - 1;
        }
        if (limit < 0)
            break;
    }
    return best;
}
