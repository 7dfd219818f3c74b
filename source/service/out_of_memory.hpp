// What happens to a program that runs out of memory.
#pragma once

namespace causeway::service {

/// From now on an allocation by `operator new` that fails, on any thread, ends the process at once, with exit status 1
/// and one line on standard error that begins with `program`, if there is room for it. To continue would need memory
/// too, even to refuse a client; a supervisor that restarts the program needs none of the program's.
///
/// At once means: nothing is destroyed, flushed or caught, no `std::bad_alloc` is thrown, and `std::nothrow` gets no
/// null pointer. The end neither allocates nor blocks. `malloc` itself, as C libraries use it, still fails with a null
/// pointer.
///
/// For `main`, before any thread. It installs a `std::new_handler`: a custom `operator new` has to call it.
void end_when_out_of_memory(const char* program);

} // namespace causeway::service
