"""The two lanes without a binding."""
