#include "service/out_of_memory.hpp"

#include "service/write_if_room.hpp"

#include <fmt/format.h>

#include <array>
#include <new>
#include <string_view>

#include <unistd.h>

namespace causeway::service {
namespace {

// Written beforehand, because later there is no memory for it.
std::array<char, 256> last_line_text;
std::string_view last_line;

[[noreturn]] void end()
{
    write_if_room(STDERR_FILENO, last_line);
    ::_exit(1);
}

} // namespace

void end_when_out_of_memory(const char* program)
{
    const auto end_of_line = fmt::format_to_n(last_line_text.data(), last_line_text.size(),
                                              "{}: out of memory; ending. Raise its memory limit, or lower "
                                              "the number of connections it may have\n",
                                              program);
    last_line = {last_line_text.data(), end_of_line.out};
    std::set_new_handler(end);
}

} // namespace causeway::service
