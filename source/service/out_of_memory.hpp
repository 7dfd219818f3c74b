// What becomes of a program that gets no more memory.
#pragma once

namespace causeway::service {

/// From now on an allocation by `operator new` that fails, on any thread, ends the process at once, with exit status 1
/// and one line on standard error that begins with `program`, if there is room for it. To go on would need memory too,
/// even to say no to a client; a supervisor that starts the program again needs none of it.
///
/// At once means: nothing is destroyed, flushed or caught, and no `std::bad_alloc` is thrown, nor does `std::nothrow`
/// change it. The end neither allocates nor blocks. `malloc` by itself, as C libraries use it, still fails with a null
/// pointer.
///
/// For `main`, before any thread. It is a `std::new_handler`: an `operator new` of one's own has to call it.
void end_when_out_of_memory(const char* program);

} // namespace causeway::service
