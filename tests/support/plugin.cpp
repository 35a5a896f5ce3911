// A library that tests load at run time. It is built several times, with a different PLUGIN_OFFSET each time. Because the libraries
// have the same size, one can be loaded at the address of another that was unloaded.
extern "C" int work(int n) { return n + PLUGIN_OFFSET; }
