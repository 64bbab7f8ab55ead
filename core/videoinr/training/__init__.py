"""Training: recipes as TOML files, batches from clips and photographs, and a loop that can be resumed at any step."""
