#include "service/regular_file.hpp"

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway::service {
namespace {

[[noreturn]] void fail() { throw std::runtime_error(std::generic_category().message(errno)); }

struct open_file {
    explicit open_file(const std::string& path)
        : descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))
    {
        if (descriptor == -1)
            fail();
    }
    ~open_file() { ::close(descriptor); }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    const int descriptor;
};

} // namespace

std::string text_of_regular_file(const std::string& path)
{
    const open_file file(path);
    struct stat kind {};
    if (::fstat(file.descriptor, &kind) != 0)
        fail();
    if (!S_ISREG(kind.st_mode))
        throw std::runtime_error("it is not a regular file, which could be read again at SIGHUP");
    std::string text;
    std::array<char, 4096> some;
    ssize_t count = 0;
    while ((count = ::read(file.descriptor, some.data(), some.size())) > 0)
        text.append(some.data(), static_cast<std::size_t>(count));
    if (count < 0)
        fail();
    return text;
}

} // namespace causeway::service
