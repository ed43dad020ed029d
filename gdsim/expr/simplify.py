"""What a textbook prints: exact constants, no zeros and ones, like terms and like powers collected."""
