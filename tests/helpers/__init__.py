"""What several tests share: clips made on the spot, damage, a slow engine."""
