// The access log of the program: where its lines go, that none is torn or missing, and that nothing waits for them.
#include "service/access_log.hpp"
#include "../temporary.hpp"
#include "blocking.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace causeway::test {
namespace {

const std::regex line_of_text(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1:\d+ ([0-9a-zA-Z._-]+) )"
                              R"rx("GET /\?statusCode=[!-~]+ HTTP/1\.1" (\d{3}|-) \d+ [a-z_]+ \S+ )rx"
                              R"(read=\d+ wait=\d+ wire=\d+ write=\d+)");

words lines_of(const std::string& text)
{
    std::istringstream input(text);
    words lines;
    for (std::string line; std::getline(input, line);)
        lines.push_back(line);
    return lines;
}

// Checks that each line is complete and has a unique id, and returns how many there are.
std::size_t check_lines(const words& lines)
{
    std::set<std::string> ids;
    std::size_t broken = 0;
    for (const auto& line : lines) {
        std::smatch parts;
        if (std::regex_match(line, parts, line_of_text))
            ids.insert(parts[1]);
        else if (broken++ == 0)
            BOOST_TEST(line == "");
    }
    BOOST_TEST(broken == 0U);
    BOOST_TEST(ids.size() == lines.size());
    return lines.size();
}

// The sum of "N lines of this log are lost here" in `lines`, which are removed.
std::size_t take_lost(words& lines)
{
    std::size_t lost = 0;
    std::erase_if(lines, [&](const std::string& line) {
        const bool tells = line.find(" lines of this log are lost here") != std::string::npos;
        lost += tells ? number_before(" lines of this log", line) : 0;
        return tells;
    });
    return lost;
}

std::size_t lost_of_the_access_log(std::uint16_t admin_port)
{
    connection client(admin_port);
    client.send("GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto page = receive_answer(client).body;
    const std::string metric = "\ncauseway_access_log_lines_lost_total ";
    return std::stoul(page.substr(page.find(metric) + metric.size()));
}

// Such a code makes a long line.
const std::string long_code = "404&" + std::string(900, 'x');

struct fixture {
    std::string log() const { return directory.path() + "/access.log"; }

    // A bridge with this log, in front of a code server.
    void start(const std::string& where, words more = {})
    {
        more.push_back("--access-log=" + where);
        causeway.emplace(in_front_of({code_server.address()}, more));
        port = causeway->port();
    }

    void ask(int times, const std::string& code = "404")
    {
        connection client(port);
        for (int i = 0; i != times; ++i)
            BOOST_TEST_REQUIRE(get(client, code).status == 200);
    }

    void stop()
    {
        causeway->signal(SIGTERM);
        BOOST_TEST(causeway->wait() == 0);
    }

    temporary_directory directory;
    code_server_process code_server{on_a_free_port};
    std::optional<causeway_process> causeway;
    std::uint16_t port = 0;
};

struct with_pipe : fixture {
    with_pipe()
        : reading(-1)
    {
        if (::mkfifo(log().c_str(), S_IRUSR | S_IWUSR) != 0)
            throw std::system_error(errno, std::generic_category());
        reading = descriptor(::open(log().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }

    // Reads what is available at this moment.
    void read()
    {
        char buffer[4096];
        for (ssize_t count = 0; (count = ::read(reading.number(), buffer, sizeof buffer)) > 0;)
            has_come.append(buffer, static_cast<std::size_t>(count));
    }

    descriptor reading;
    std::string has_come;
};

} // namespace

BOOST_AUTO_TEST_SUITE(access_log)

BOOST_FIXTURE_TEST_CASE(without_the_option_there_is_no_log_and_no_id, fixture)
{
    causeway.emplace(in_front_of({code_server.address()}));
    port = causeway->port();
    BOOST_TEST(get(port, "404").head.find("X-Request-Id") == std::string::npos);
    stop();
    BOOST_TEST(causeway->standard_output() == "");
}

BOOST_FIXTURE_TEST_CASE(each_request_has_a_line_soon, fixture)
{
    start(log());
    ask(3);
    wait_until([&] { return lines_of(text_of(log())).size() == 3; });
    BOOST_TEST(check_lines(lines_of(text_of(log()))) == 3U);
    using std::filesystem::perms;
    BOOST_TEST(
        (std::filesystem::status(log()).permissions() == (perms::owner_read | perms::owner_write | perms::group_read)));
    stop();
    BOOST_TEST(check_lines(lines_of(text_of(log()))) == 3U);
}

BOOST_FIXTURE_TEST_CASE(json_is_an_object_a_line, fixture)
{
    start(log(), {"--log-format=json"});
    ask(3);
    stop();
    const auto lines = lines_of(text_of(log()));
    BOOST_TEST(lines.size() == 3U);
    for (const auto& line : lines) {
        const auto object = boost::json::parse(line).as_object();
        BOOST_TEST(object.at("status").as_int64() == 200);
        BOOST_TEST(object.at("outcome").as_string() == "reply");
        BOOST_TEST(object.at("upstream").as_string() == code_server.address());
    }
}

BOOST_FIXTURE_TEST_CASE(it_can_be_the_standard_output, fixture)
{
    start("-");
    ask(3);
    stop();
    BOOST_TEST(check_lines(lines_of(causeway->standard_output())) == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_was_moved_away_is_left_behind_at_sighup_and_no_line_is_lost_or_torn, fixture)
{
    start(log(), {"--threads=2"});
    steady_load load(port, 8);
    constexpr std::size_t rotations = 10;
    for (std::size_t i = 1; i <= rotations; ++i) {
        load.wait_for_answers(200);
        std::filesystem::rename(log(), log() + "." + std::to_string(i));
        causeway->signal(SIGHUP);
        causeway->wait_for_line("reload: ", i);
    }
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
    stop();

    words all;
    for (std::size_t i = 0; i <= rotations; ++i) {
        const auto lines = lines_of(text_of(i == 0 ? log() : log() + "." + std::to_string(i)));
        BOOST_TEST(!lines.empty());
        all.insert(all.end(), lines.begin(), lines.end());
    }
    BOOST_TEST(check_lines(all) == load.answers());
}

BOOST_FIXTURE_TEST_CASE(a_named_pipe_that_nobody_reads_delays_no_answer_and_what_it_loses_is_counted, with_pipe)
{
    start(log(), {"--threads=1", "--admin=127.0.0.1:0"});
    constexpr int more_than_there_is_room_for = 1'000;
    ask(more_than_there_is_room_for, long_code);
    const auto lost = lost_of_the_access_log(causeway->admin_port());
    BOOST_TEST(lost > 100U);

    wait_until([&] {
        read();
        return has_come.find(" lines of this log are lost here") != std::string::npos;
    });
    ask(1);
    wait_until([&] {
        read();
        return has_come.find("\"GET /?statusCode=404 HTTP") != std::string::npos;
    });
    auto lines = lines_of(has_come);
    BOOST_TEST(take_lost(lines) == lost);
    BOOST_TEST(check_lines(lines) + lost == more_than_there_is_room_for + 1U);
    BOOST_TEST(lost_of_the_access_log(causeway->admin_port()) == lost);
    stop();
}

// Switched off, on and off again while the writer is stuck, a log has lost lines to report and no file for the report.
BOOST_FIXTURE_TEST_CASE(a_log_that_is_switched_off_reports_its_lost_lines_when_it_is_on_again, with_pipe)
{
    service::access_writer writer;
    const auto file = writer.open(log());
    service::access_log recorder(writer, file, service::log_format::text);
    const auto record = [&recorder](std::size_t lines) {
        http::access access;
        access.method = "GET";
        access.target = std::string(1'000, 'x');
        for (std::size_t line = 0; line != lines; ++line)
            recorder.record(access, "127.0.0.1:1");
    };
    constexpr std::size_t enough_for_a_batch = 260;
    record(enough_for_a_batch + enough_for_a_batch / 2); // both batches are in use
    recorder.flush();
    recorder.use(file, service::log_format::text);
    record(1);
    BOOST_TEST_REQUIRE(recorder.lost() == 1U);
    recorder.flush();

    const auto is_told = [&] {
        read();
        recorder.flush();
        recorder.use(file, service::log_format::text);
        recorder.sweep();
        return has_come.find(" 1 lines of this log are lost here") != std::string::npos;
    };
    recorder.flush();
    wait_until([&] {
        read();
        recorder.flush();
        return lines_of(has_come).size() > enough_for_a_batch;
    });
    wait_until(is_told);
    BOOST_TEST(recorder.lost() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_named_pipe_that_nobody_reads_holds_up_neither_a_reload_nor_the_end, with_pipe)
{
    start(log(), {"--threads=1"});
    ask(1'000, long_code);
    causeway->signal(SIGHUP);
    causeway->wait_for_line("reload: ");
    ask(1);
    stop();
    BOOST_TEST(causeway->standard_error().find(" lines of the access log were lost") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_reader_that_goes_away_stops_nobody, with_pipe)
{
    start(log(), {"--threads=1", "--admin=127.0.0.1:0"});
    ask(1);
    reading.close();
    wait_until([&] {
        ask(1);
        return lost_of_the_access_log(causeway->admin_port()) != 0;
    });
    causeway->wait_for_line("cannot write to the access log: Broken pipe");
    stop();
}

BOOST_FIXTURE_TEST_CASE(a_full_disk_costs_lines_and_nothing_else, fixture)
{
    start("/dev/full", {"--threads=1", "--admin=127.0.0.1:0"});
    ask(5);
    wait_until([&] { return lost_of_the_access_log(causeway->admin_port()) == 5; });
    causeway->wait_for_line("cannot write to the access log: No space left on device");
    stop();
    BOOST_TEST(causeway->standard_error().find("5 lines of the access log were lost") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(so_does_a_limit_of_file_sizes, fixture)
{
    start(directory.path() + "/limited.log", {"--threads=1", "--admin=127.0.0.1:0"});
    const rlimit nothing{0, RLIM_INFINITY};
    BOOST_TEST_REQUIRE(prlimit(causeway->id(), RLIMIT_FSIZE, &nothing, nullptr) == 0);
    ask(5);
    wait_until([&] { return lost_of_the_access_log(causeway->admin_port()) == 5; });
    causeway->wait_for_line("cannot write to the access log: File too large");
    stop();
}

BOOST_FIXTURE_TEST_CASE(a_file_that_cannot_be_opened_is_told_at_the_start, fixture)
{
    process bridge(CAUSEWAY_PROGRAM,
                   in_front_of({code_server.address()}, {"--admin=off", "--access-log=/nowhere/access.log"}));
    BOOST_TEST(bridge.wait() == 1);
    BOOST_TEST(bridge.standard_error() == "causeway: cannot open --access-log /nowhere/access.log: No such file or "
                                          "directory; choose a file that this user may write, in a directory that "
                                          "exists, or a named pipe with a reader\n");
}

BOOST_FIXTURE_TEST_CASE(it_is_switched_on_and_off_and_moved_at_sighup_and_an_error_leaves_it_as_it_was, fixture)
{
    const auto config = directory.path() + "/causeway.conf";
    write_file(config, "");
    causeway.emplace(in_front_of({code_server.address()}, {"--config=" + config, "--threads=1"}));
    port = causeway->port();
    std::size_t reloads = 0;
    const auto reload = [&](const std::string& settings, std::string_view says) {
        write_file(config, settings);
        causeway->signal(SIGHUP);
        causeway->wait_for_line(says);
        connection client(port); // its request arrives after what was posted to the loop
        get(client, "none");
        ++reloads;
    };
    const auto lines_in = [](const std::string& file) { return lines_of(text_of(file)).size(); };

    connection client(port);
    get(client, "404");
    reload("access-log = " + log() + "\n", "reload: access-log = ");
    get(client, "404");
    wait_until([&] { return lines_in(log()) == 2; });

    std::filesystem::rename(log(), log() + ".0");
    reload("access-log = /nowhere/log\n", "reload: all settings are kept");
    get(client, "404");
    wait_until([&] { return lines_in(log()) == 2; });

    std::filesystem::rename(log(), log() + ".1");
    reload("nonsense\naccess-log = " + log() + "\n", "reload: " + config); // reopened nevertheless
    get(client, "404");
    wait_until([&] { return lines_in(log()) == 2; });

    reload("access-log = " + log() + ".2\n", log() + ".2 applied");
    get(client, "404");
    wait_until([&] { return lines_in(log() + ".2") == 2; });

    reload("", "applied; it was " + log() + ".2");
    get(client, "404");
    stop();
    BOOST_TEST(lines_in(log()) == 2U);
    BOOST_TEST(lines_in(log() + ".0") == 2U);
    BOOST_TEST(lines_in(log() + ".1") == 2U);
    BOOST_TEST(lines_in(log() + ".2") == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
