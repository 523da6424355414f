/* The table of commands: --help, completion and the manual come from it. */
#include "app.h"

/* clang-format off */
const struct ft_command ft_commands[] = {
    {"console", FT_CMD_CONSOLE, "", "the console, on the configured broker and database (without a command, too)",
     "  fraudtop                                      watch the pipeline\n"
     "  fraudtop -b kafka1:9092 -d service=fraud      the same, with addresses\n"
     "  fraudtop --read-only --screen queue           look only, at the review queue\n", ft_cmd_console},
    {"demo", FT_CMD_DEMO, "[FILE...]", "everything embedded: starts, replays the sample, opens the console",
     "  fraudtop demo                                 alive in seconds, nothing to set up\n"
     "  fraudtop demo --rate 500                      faster\n"
     "  fraudtop demo --scene attack                  a scripted scene, always the same\n", ft_cmd_demo},
    {"replay", FT_CMD_REPLAY, "FILE...", "CSV to Kafka",
     "  fraudtop replay day.csv --rate 400            400 transactions a second\n"
     "  fraudtop replay day.csv.gz --speed 60         by transaction_time, an hour in a minute\n"
     "  fraudtop replay day.csv --resume RUN          go on with a run that ended early\n", ft_cmd_replay},
    {"score", FT_CMD_SCORE, "[FILE...]", "Kafka to Kafka as a consumer group; with files, offline to CSV or JSON",
     "  fraudtop score -b kafka1:9092                 a scorer; start as many as you like\n"
     "  fraudtop score day.csv > scores.csv           offline, on all cores\n"
     "  fraudtop score day.csv --json --reasons 3     an object a line, with reasons\n", ft_cmd_score},
    {"sink", FT_CMD_SINK, "", "Kafka to PostgreSQL",
     "  fraudtop sink -b kafka1:9092 -d dbname=fraud  store verdicts\n"
     "  fraudtop sink -d service=fraud                with libpq's service file\n"
     "  fraudtop sink --batch-age 2ms                 lower latency, more transactions\n", ft_cmd_sink},
    {"run", FT_CMD_RUN, "FILE...", "replay, score and sink in one process, to the end, with a summary",
     "  fraudtop run day.csv                          embedded log and database\n"
     "  fraudtop run day.csv -b localhost:9092 -d dbname=fraud\n"
     "  fraudtop run day.csv.gz --label target --json one object: counts, latency, precision\n", ft_cmd_run},
    {"evaluate", FT_CMD_EVALUATE, "FILE...", "metrics of a model on labelled data",
     "  fraudtop evaluate test.csv.gz --label target  table and plot\n"
     "  fraudtop evaluate test.csv --label y --json   the same figures for scripts\n"
     "  fraudtop evaluate test.csv --label y -m seed-004 -m velocity   side by side\n", ft_cmd_evaluate},
    {"explain", FT_CMD_EXPLAIN, "FILE", "why a row has its score",
     "  fraudtop explain day.csv --row 17             all contributions, strongest first\n"
     "  fraudtop explain day.csv --row 17 --json      with base value and raw score\n"
     "  fraudtop explain day.csv --row 17 -m velocity by another model\n", ft_cmd_explain},
    {"features", FT_CMD_FEATURES, "FILE...", "the features that a model sees, as CSV (for training)",
     "  fraudtop features train.csv.gz -m velocity > features.csv\n"
     "  fraudtop features train.csv.gz -m velocity --label target -o features.csv\n"
     "  fraudtop features train.csv.gz -m velocity --stage-scores oof.csv\n", ft_cmd_features},
    {"threshold", FT_CMD_THRESHOLD, "[X | apply X]", "what a threshold would cost and catch; put one into force",
     "  fraudtop threshold                            the one in force\n"
     "  fraudtop threshold 0.65                       what 0.65 would change\n"
     "  fraudtop threshold apply 0.65 --note 'fewer false alarms'\n", ft_cmd_threshold},
    {"generate", FT_CMD_GENERATE, "", "synthetic labelled transactions, any number, reproducible",
     "  fraudtop generate --rows 100000 > made.csv    always the same 100,000\n"
     "  fraudtop generate --rows 1000 --seed 7        others\n"
     "  fraudtop generate --rows 5000000 | fraudtop run - --label target\n", ft_cmd_generate},
    {"topics", FT_CMD_TOPICS, "list | show TOPIC | tail TOPIC | find ID", "topics, partitions, groups, lag, messages",
     "  fraudtop topics list                          topics, partitions, messages\n"
     "  fraudtop topics show transactions             offsets and lag by partition\n"
     "  fraudtop topics find 0199c0de-0000-8000-8000-000000000001\n", ft_cmd_topics},
    {"cases", FT_CMD_CASES, "list | next | show ID | decide ID VERDICT | note ID TEXT | undo | claim ID | release ID | stats | log | export",
     "the review queue, for scripts",
     "  fraudtop cases list --filter 'amount>500'     what is open\n"
     "  fraudtop cases show 0199c0de                  one case with reasons and history\n"
     "  fraudtop cases decide 0199c0de fraud --note 'called the holder'\n", ft_cmd_cases},
    {"model", FT_CMD_MODEL, "list | show [NAME] | check [NAME] | promote NAME | rollback", "models: what they are, whether they are whole, which decides",
     "  fraudtop model list                           those that are found\n"
     "  fraudtop model show seed-004                  features, importance, trees, metrics\n"
     "  fraudtop model check models/mine              loads it and scores its check rows\n"
     "  fraudtop model promote mine --note 'May data' all running scorers use it\n", ft_cmd_model},
    {"bench", FT_CMD_BENCH, "", "load steps against an installation, with a verdict for each",
     "  fraudtop bench -b kafka1:9092 -d service=fraud\n"
     "  fraudtop bench --steps 400,2000 --seconds 30  two steps of 30 s\n"
     "  fraudtop bench --json                         for scripts\n", ft_cmd_bench},
    {"doctor", FT_CMD_DOCTOR, "", "what is configured (with its source), reachable, missing; how to mend it",
     "  fraudtop doctor                               settings and checks\n"
     "  fraudtop doctor -b kafka1:9092                with another broker\n"
     "  fraudtop doctor --json                        for scripts\n", ft_cmd_doctor},
    {"watch", FT_CMD_WATCH, "", "the live figures and flagged transactions as lines",
     "  fraudtop watch                                figures once a second\n"
     "  fraudtop watch --plain                        a line a flagged row, a summary a minute\n"
     "  fraudtop watch --json --count 1               one object\n", ft_cmd_watch},
    {"handover", FT_CMD_HANDOVER, "", "summary for the next shift",
     "  fraudtop handover --since 8h                  the last eight hours\n"
     "  fraudtop handover --since 8h -o handover.txt  into a file\n"
     "  fraudtop handover --json                      for scripts\n", ft_cmd_handover},
    {"snapshot", FT_CMD_SNAPSHOT, "", "a screen of the console as text",
     "  fraudtop snapshot                             the Live screen, 80x24\n"
     "  fraudtop snapshot --screen queue --size 140x40\n"
     "  fraudtop snapshot --scene attack --format ansi\n", ft_cmd_snapshot},
    {"completion", FT_CMD_COMPLETION, "bash|zsh|fish", "prints the completion script of a shell",
     "  . <(fraudtop completion bash)                 for this shell\n"
     "  fraudtop completion zsh > ~/.zfunc/_fraudtop  for zsh\n"
     "  fraudtop completion fish > ~/.config/fish/completions/fraudtop.fish\n", ft_cmd_completion},
};
/* clang-format on */
const size_t ft_n_commands = sizeof(ft_commands) / sizeof(ft_commands[0]);
