"""Opening files from outside in a helper process, so that a crash or a hang costs only that file.

| file | purpose |
|---|---|
| `messages` | JSON and byte arrays over a pipe; nothing that is read can be code |
| `questions`, `findings`, `heads` | what is asked (path and options) and what opening found, as plain data |
| `values` | checks of the values in an answer |
| `helper_process` | one helper: asks it, waits for a bounded time, ends it |
| `helpers` | keeps one helper warm; turns its death or silence into a ClipError |
| `server` | what runs in the helper; only its name is known to the other files |

A helper ends when its standard input does, so none outlives its parent. Reading frames is not isolated; the figures are
in tests/benchmarks/NOTES.md.
"""
