# Each recipe is one command; `cargo` alone does the same.
bench-all *args:
    cargo bench-all {{args}}

test *args:
    cargo test-all {{args}}
