int fragile(void) { return no_such_variable; }
