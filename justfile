# `just` lists these. Each is one command; `cargo` alone does the same.
[private]
default:
    @{{just_executable()}} --list

# the tables of the talks: sets up, measures, reports
bench-all *args:
    cargo bench-all {{args}}

# what is there to measure, and whether it is built
list *args:
    cargo bindbench list {{args}}

# build lanes
setup *args:
    cargo bindbench setup {{args}}

# measure what is selected: just run -w kmp -s capi/c -s pyo3/held
run *args:
    cargo bindbench run {{args}}

# flamegraphs, the split of the time, and the page that lists them
flame *args:
    cargo bindbench profile {{args}}

# is this checkout slower than another revision: just gate --base-rev main -w kmp
gate *args:
    cargo bindbench gate {{args}}

# every test and lint
test *args:
    cargo test-all {{args}}

# the Rust tests of one room: just room stats
room name *args:
    cargo test -p bindbench-{{name}} {{args}}

# format Rust and Python
fmt:
    cargo fmt --all
    build/tools/bin/ruff check --fix pyscripts conformance impls
    build/tools/bin/ruff format pyscripts conformance impls

# mutants, hostile lanes, killed drivers, fuzz targets
torture *args:
    cargo xtask torture {{args}}
