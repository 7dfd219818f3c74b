// How a program ends that runs out of memory.
#include "service/out_of_memory.hpp"

#include "blocking.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace causeway::test {
namespace {

int checked(int result)
{
    if (result == -1)
        throw std::system_error(errno, std::generic_category());
    return result;
}

// How a process ended, as waitpid(2) says, and what it wrote.
struct ending {
    int status = 0;
    std::string error;
};

// Runs out of memory in a separate process, as `operator new` would, whose standard error already holds `unread`.
ending run_out_of_memory(const std::string& unread = "")
{
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC));
    const descriptor reading(ends[0]);
    descriptor writing(ends[1]);
    checked(::fcntl(writing.number(), F_SETPIPE_SZ, 4096));
    checked(static_cast<int>(::write(writing.number(), unread.data(), unread.size())));

    const int child = checked(::fork());
    if (child == 0) {
        constexpr unsigned seconds = 20;
        ::alarm(seconds); // ends it if it hangs
        ::dup2(writing.number(), STDERR_FILENO);
        service::end_when_out_of_memory("program");
        std::get_new_handler()();
        ::_exit(0);
    }
    writing.close();
    ending ending;
    checked(::waitpid(child, &ending.status, 0));
    std::array<char, 4096> buffer;
    const auto count = checked(static_cast<int>(::read(reading.number(), buffer.data(), buffer.size())));
    ending.error.assign(buffer.data(), static_cast<std::size_t>(count));
    return ending;
}

} // namespace

BOOST_AUTO_TEST_SUITE(out_of_memory)

BOOST_AUTO_TEST_CASE(it_ends_the_program_with_1_and_one_line_that_says_what_to_do)
{
    const auto ending = run_out_of_memory();

    BOOST_TEST(WIFEXITED(ending.status));
    BOOST_TEST(WEXITSTATUS(ending.status) == 1);
    BOOST_TEST(ending.error.starts_with("program: out of memory; ending. Raise "));
    BOOST_TEST(ending.error.find('\n') == ending.error.size() - 1);
}

BOOST_AUTO_TEST_CASE(it_ends_the_program_also_when_nobody_reads_the_line)
{
    const std::string unread(4096, 'x');
    const auto ending = run_out_of_memory(unread);

    BOOST_TEST(WIFEXITED(ending.status));
    BOOST_TEST(WEXITSTATUS(ending.status) == 1);
    BOOST_TEST(ending.error == unread);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
