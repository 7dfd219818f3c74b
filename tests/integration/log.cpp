// The log, and readers that stall.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"
#include "service/log_sink.hpp"
#include "service/write_if_room.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <ostream>
#include <system_error>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway::test {
namespace {

using service::log_sink;

constexpr int narrow = 4096; // bytes that a pipe holds at least (fcntl(2), F_SETPIPE_SZ)

int checked(int result)
{
    if (result == -1)
        throw std::system_error(errno, std::generic_category());
    return result;
}

// Reads what is available at this moment.
std::string read_all(const descriptor& from)
{
    std::string text;
    std::array<char, 4096> buffer;
    checked(::fcntl(from.number(), F_SETFL, O_NONBLOCK));
    for (ssize_t count = 0; (count = ::read(from.number(), buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
}

// The two ends of a channel for text. A test decides when it is read.
struct channel {
    descriptor reading;
    descriptor writing;
};

channel narrow_pipe()
{
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC));
    checked(::fcntl(ends[1], F_SETPIPE_SZ, narrow));
    return {descriptor(ends[0]), descriptor(ends[1])};
}

channel unix_socket()
{
    std::array<int, 2> ends{};
    checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    return {descriptor(ends[0]), descriptor(ends[1])};
}

channel terminal()
{
    descriptor reading(checked(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)));
    checked(::grantpt(reading.number()));
    checked(::unlockpt(reading.number()));
    descriptor writing(checked(::open(::ptsname(reading.number()), O_RDWR | O_NOCTTY | O_CLOEXEC)));
    return {std::move(reading), std::move(writing)};
}

struct kind_of_channel {
    const char* name;
    channel (*make)();

    friend std::ostream& operator<<(std::ostream& output, const kind_of_channel& kind) { return output << kind.name; }
};

const std::vector<kind_of_channel> kinds_of_channels{
    {"pipe", narrow_pipe}, {"socket", unix_socket}, {"terminal", terminal}};

// What logs to `to`, without a time stamp.
spdlog::logger logger_to(const channel& to, log_sink::reader who_reads = log_sink::reader::any)
{
    spdlog::logger logger("test", std::make_shared<log_sink>(to.writing.number(), who_reads));
    logger.set_pattern("%^%l%$ %v");
    return logger;
}

const std::string line_of_64_bytes = std::string(58, 'x'); // after "info ", before a line feed
constexpr int lines_that_fit = narrow / 64;

// A named pipe with little room, for a program to log to. It is read only when a test says so.
class log_pipe {
public:
    log_pipe()
        : reading_(-1)
    {
        checked(::mkfifo(path().c_str(), S_IRUSR | S_IWUSR));
        reading_ = descriptor(checked(::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
        checked(::fcntl(reading_.number(), F_SETPIPE_SZ, narrow));
    }
    std::string path() const { return directory_.path() + "/log"; }

    // Reads until a line contains `text`, and returns this line.
    std::string wait_for_line(std::string_view text)
    {
        std::string line;
        wait_until([&] {
            read_ += read_all(reading_);
            for (auto end = read_.find('\n'); end != std::string::npos && line.empty(); end = read_.find('\n')) {
                if (const auto next = read_.substr(0, end); next.find(text) != std::string::npos)
                    line = next;
                read_.erase(0, end + 1);
            }
            return !line.empty();
        });
        return line;
    }

    // Discards its content.
    void empty()
    {
        read_all(reading_);
        read_.clear();
    }

private:
    temporary_directory directory_;
    descriptor reading_;
    std::string read_;
};

// The arguments of a shell that becomes `program`, with its standard error in `log`.
words with_log_in(const log_pipe& log, const std::string& program, const words& arguments)
{
    words all{"-c", R"(exec "$@" 2>"$0")", log.path(), program};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

// While this lives, files are full at a certain size.
class limited_file_size {
public:
    explicit limited_file_size(rlim_t bytes)
        : action_(std::signal(SIGXFSZ, SIG_IGN))
    {
        checked(::getrlimit(RLIMIT_FSIZE, &before_));
        const rlimit now{bytes, before_.rlim_max};
        checked(::setrlimit(RLIMIT_FSIZE, &now));
    }
    ~limited_file_size()
    {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, action_);
    }
    limited_file_size(const limited_file_size&) = delete;
    limited_file_size& operator=(const limited_file_size&) = delete;

private:
    void (*action_)(int);
    rlimit before_{};
};

// Each time adds a line or two to the log of the connecting side.
void accept_and_hang_up(listener& listener, int times)
{
    for (int i = 0; i < times; ++i)
        listener.accept();
}

} // namespace

BOOST_AUTO_TEST_SUITE(log)

BOOST_AUTO_TEST_CASE(a_log_that_nobody_reads_stops_neither_the_service_nor_its_end)
{
    log_pipe log;
    code_server_process code_server(on_a_free_port);
    listener flapping;
    process causeway("/bin/sh", with_log_in(log, CAUSEWAY_PROGRAM,
                                            in_front_of({code_server.address(), flapping.address()},
                                                        {"--threads=1", "--reconnect-max=1ms", "--log-level=debug"})));
    const auto port = port_in(log.wait_for_line("listening on "));

    constexpr int more_often_than_the_pipe_has_room_for = 200;
    accept_and_hang_up(flapping, more_often_than_the_pipe_has_room_for);
    BOOST_TEST(get(port, "404").status == 200);

    log.empty();
    accept_and_hang_up(flapping, 3);
    BOOST_TEST(number_before(" lines of this log are lost", log.wait_for_line("are lost")) > 100U);

    accept_and_hang_up(flapping, more_often_than_the_pipe_has_room_for);
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_line_that_finds_no_room_is_lost_and_the_next_one_says_so)
{
    const auto pipe = narrow_pipe();
    auto logger = logger_to(pipe);

    for (int i = 0; i < lines_that_fit + 7; ++i)
        logger.info(line_of_64_bytes);
    const auto before = read_all(pipe.reading);
    logger.info("here again");
    logger.info("and again");

    BOOST_TEST(before.size() == std::size_t{narrow});
    BOOST_TEST(read_all(pipe.reading) ==
               "warning 7 lines of this log are lost here, because there was no room for them\n"
               "info here again\n"
               "info and again\n");
}

BOOST_AUTO_TEST_CASE(what_was_lost_last_is_said_at_the_end)
{
    const auto pipe = narrow_pipe();
    {
        auto logger = logger_to(pipe);
        for (int i = 0; i < lines_that_fit + 7; ++i)
            logger.info(line_of_64_bytes);
        read_all(pipe.reading);
    }
    BOOST_TEST(read_all(pipe.reading).starts_with("warning 7 lines of this log are lost"));
}

BOOST_AUTO_TEST_CASE(what_the_log_has_lost_stays_counted)
{
    const auto pipe = narrow_pipe();
    const auto usual = spdlog::default_logger();
    const auto logger = std::make_shared<spdlog::logger>(logger_to(pipe));
    spdlog::set_default_logger(logger);
    for (int i = 0; i < lines_that_fit + 7; ++i)
        logger->info(line_of_64_bytes);
    read_all(pipe.reading);
    logger->info("here again");
    const auto lost = service::lines_lost_of_the_log();
    spdlog::set_default_logger(usual);
    BOOST_TEST(lost == 7U);
}

BOOST_DATA_TEST_CASE(to_log_never_waits_whatever_the_log_goes_to, boost::unit_test::data::make(kinds_of_channels))
{
    const auto channel = sample.make();
    auto logger = logger_to(channel);

    const auto logged = std::async(std::launch::async, [&] {
        for (int i = 0; i < 10'000; ++i)
            logger.info(line_of_64_bytes);
    });
    const bool in_time = logged.wait_for(patience) == std::future_status::ready;
    BOOST_TEST(in_time);
    while (logged.wait_for(1ms) != std::future_status::ready)
        read_all(channel.reading);

    std::string read;
    wait_until([&] {
        read += read_all(channel.reading);
        logger.flush();
        return read.find(" lines of this log are lost") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(where_a_pipe_cannot_be_made_non_blocking_its_room_is_looked_at_first)
{
    const auto pipe = narrow_pipe();
    const std::string line(100, 'x');

    const auto filled = std::async(std::launch::async, [&] {
        while (service::write_if_room(pipe.writing.number(), line))
            ;
    });
    BOOST_TEST((filled.wait_for(patience) == std::future_status::ready));
    while (filled.wait_for(1ms) != std::future_status::ready)
        read_all(pipe.reading);
    BOOST_TEST(read_all(pipe.reading).starts_with(line));
}

BOOST_AUTO_TEST_CASE(the_pipe_itself_stays_as_it_is_for_all_that_share_it)
{
    const auto pipe = narrow_pipe();
    auto logger = logger_to(pipe);
    logger.info("one line");

    BOOST_TEST((::fcntl(pipe.writing.number(), F_GETFL) & O_NONBLOCK) == 0);
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_for_one_write_is_cut_and_says_so)
{
    const auto pipe = narrow_pipe();
    auto logger = logger_to(pipe);

    logger.info(std::string(5000, 'x'));
    const auto line = read_all(pipe.reading);
    BOOST_TEST(line.size() == 4096U);
    BOOST_TEST(line.starts_with("info xxx"));
    BOOST_TEST(line.ends_with("xxx (cut)\n"));
}

BOOST_AUTO_TEST_CASE(what_is_not_printable_ascii_is_escaped)
{
    const auto pipe = narrow_pipe();
    auto logger = logger_to(pipe);

    using namespace std::string_view_literals;
    logger.info("a\n2026 forged\r\t\0\x1b[2J\x7f \xc2\x9b \xff~"sv);
    BOOST_TEST(read_all(pipe.reading) == R"(info a\x0a2026 forged\x0d\x09\x00\x1b[2J\x7f \xc2\x9b \xff~)"
                                         "\n");
}

BOOST_AUTO_TEST_CASE(the_journal_is_told_the_level_in_front_of_each_line)
{
    const auto pipe = narrow_pipe();
    auto logger = logger_to(pipe, log_sink::reader::journal);
    logger.set_level(spdlog::level::trace);

    logger.trace("a");
    logger.debug("b");
    logger.info("c\n<0>d");
    logger.warn("e");
    logger.error("f");
    BOOST_TEST(read_all(pipe.reading) == "<7>trace a\n<7>debug b\n<6>info c\\x0a<0>d\n<4>warning e\n<3>error f\n");
}

BOOST_AUTO_TEST_CASE(a_file_is_appended_to_and_left_behind_when_it_is_moved_away)
{
    const temporary_directory directory;
    const auto file = directory.path() + "/log";
    std::ofstream(file) << "old\n";
    const auto pipe = narrow_pipe();
    const auto sink = std::make_shared<log_sink>(pipe.writing.number(), log_sink::reader::journal);
    spdlog::logger logger("test", sink);
    logger.set_pattern("%v");

    BOOST_TEST(!sink->open(file));
    logger.info("one");
    std::filesystem::rename(file, file + ".1");
    logger.info("two");
    BOOST_TEST(!sink->open(file));
    logger.info("three");

    BOOST_TEST(text_of(file + ".1") == "old\none\ntwo\n");
    BOOST_TEST(text_of(file) == "three\n");
    BOOST_TEST(read_all(pipe.reading) == "");
    using std::filesystem::perms;
    BOOST_TEST(
        (std::filesystem::status(file).permissions() == (perms::owner_read | perms::owner_write | perms::group_read)));

    BOOST_TEST(!sink->open(""));
    logger.info("four");
    BOOST_TEST(read_all(pipe.reading) == "<6>four\n");
}

BOOST_AUTO_TEST_CASE(behind_a_part_of_a_line_that_a_full_disk_had_room_for_the_next_one_has_a_line_of_its_own)
{
    const temporary_directory directory;
    const auto file = directory.path() + "/log";
    const auto sink = std::make_shared<log_sink>(STDERR_FILENO, log_sink::reader::any);
    spdlog::logger logger("test", sink);
    logger.set_pattern("%v");
    BOOST_TEST(!sink->open(file));
    {
        const limited_file_size full(10);
        logger.info("one");
        logger.info("torn in two");
        logger.info("lost");
    }
    logger.info("two");
    BOOST_TEST(text_of(file) == "one\n"
                                "torn i\n"
                                "2 lines of this log are lost here, because there was no room for them\n"
                                "two\n");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_leaves_the_log_where_it_was)
{
    const temporary_directory directory;
    const auto sink = std::make_shared<log_sink>(STDERR_FILENO, log_sink::reader::any);
    spdlog::logger logger("test", sink);
    logger.set_pattern("%v");
    BOOST_TEST(!sink->open(directory.path() + "/log"));

    BOOST_TEST((sink->open(directory.path() + "/none/log") == std::errc::no_such_file_or_directory));
    BOOST_TEST((sink->open(directory.path()) == std::errc::is_a_directory));
    logger.info("one");
    BOOST_TEST(text_of(directory.path() + "/log") == "one\n");
}

BOOST_AUTO_TEST_CASE(a_named_pipe_that_nobody_reads_any_more_stops_no_logger)
{
    const log_pipe log;
    const auto sink = std::make_shared<log_sink>(STDERR_FILENO, log_sink::reader::any);
    spdlog::logger logger("test", sink);
    BOOST_TEST(!sink->open(log.path()));

    const auto logged = std::async(std::launch::async, [&] {
        for (int i = 0; i < lines_that_fit + 7; ++i)
            logger.info(line_of_64_bytes);
    });
    BOOST_TEST((logged.wait_for(patience) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(the_level_has_a_colour_only_where_that_is_wanted)
{
    const auto pipe = narrow_pipe();

    logger_to(pipe, log_sink::reader::terminal).warn("\x1b[31mtext");
    BOOST_TEST(read_all(pipe.reading) == "\x1b[1;33mwarning\x1b[0m \\x1b[31mtext\n");

    logger_to(pipe).warn("text");
    BOOST_TEST(read_all(pipe.reading) == "warning text\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
