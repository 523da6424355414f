# Many rounds of kill -9 at moments from seeds: at least once, exactly once, and with state.
# ctest: timeout 1500
set -euo pipefail
for seed in ${FT_SEEDS:-1 2 3}; do
    FT_SEED=$seed FT_ROUNDS=15 FT_ROWS=40000 FT_RATE=1500 bash "$FT_SOURCE/tests/integration/test_pipeline_kill.sh"
    FT_SEED=$seed FT_ROUNDS=6 FT_ROWS=30000 FT_RATE=1200 bash "$FT_SOURCE/tests/integration/test_pipeline_state.sh"
done
