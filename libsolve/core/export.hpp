#pragma once

/// Marks what crosses the border between the library and a plugin or a program. Everything else
/// is hidden, so that vtables and typeinfo of these classes exist once in a process.
#define LIBSOLVE_EXPORT __attribute__((visibility("default")))
