"""What bench/ring_test.py is made of."""
