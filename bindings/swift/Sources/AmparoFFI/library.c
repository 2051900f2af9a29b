// The code is in the library libamparo; a C target needs one source file.
typedef int amparo_is_a_library;
