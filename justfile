# Each recipe is one command; `cargo` alone does the same.
bench-all *args:
    cargo bench-all {{args}}

# Flamegraphs, the split of the time, and the page that lists them.
flame *args:
    cargo bindbench profile {{args}}

test *args:
    cargo test-all {{args}}
