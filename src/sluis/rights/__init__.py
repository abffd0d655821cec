"""What people ask about their own data: what is known of them and where, mistakes reported to the source, and their rights."""
