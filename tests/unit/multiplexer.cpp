#include "upstream/multiplexer.hpp"
#include "protocols/codes/protocol.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace {

using namespace std::chrono_literals;
namespace asio = causeway::asio;
namespace codes = causeway::codes;
namespace upstream = causeway::upstream;
using upstream::waiting_request;

// One connection as a test sees it: it counts how often its writer was woken.
struct connection {
    connection()
        : lane([this] { ++wakes; })
    {
    }

    int wakes = 0;
    upstream::lane lane;
};

asio::io_context io; // only polled: nothing on it waits for anything outside
const auto executor = io.get_executor();

// The question for a code. It stays.
const upstream::question& code(std::string_view text)
{
    static std::map<std::string, upstream::question, std::less<>> questions;
    const auto found = questions.find(text);
    if (found != questions.end())
        return found->second;
    return questions.emplace(text, codes::question_for(*codes::code::parse(text))).first->second;
}

// A question that must not be written twice.
upstream::question order(std::string_view text) { return {upstream::key(text), std::string(text) + '\n', false}; }

// When a test's messages are written, unless it says otherwise; and a time so much later that nothing is recent any
// more.
constexpr causeway::clock::time_point start;
constexpr auto later = start + 1h;

// What a connection's writer would write now.
std::string take(upstream::multiplexer& multiplexer, connection& connection, causeway::clock::time_point now = start)
{
    std::string wire;
    multiplexer.take(connection.lane, wire, now);
    return wire;
}

// The suspects that it would try now.
std::string take_suspects(upstream::multiplexer& multiplexer, connection& connection)
{
    std::string wire;
    multiplexer.take_suspects(connection.lane, wire, start);
    return wire;
}

std::size_t close(upstream::multiplexer& multiplexer, connection& connection, causeway::clock::time_point now = later)
{
    return multiplexer.close(connection.lane, now);
}

void open_and_speak(upstream::multiplexer& multiplexer, connection& connection)
{
    multiplexer.open(connection.lane);
    multiplexer.spoke(connection.lane);
}

// A connection opens and receives something, takes what there is for it, and is lost at once.
void lose_at_once(upstream::multiplexer& multiplexer, connection& connection)
{
    open_and_speak(multiplexer, connection);
    take(multiplexer, connection);
    close(multiplexer, connection, start);
}

// What there is for a connection is lost at once, and once more on one that receives nothing: any of it may be to
// blame.
void make_suspects(upstream::multiplexer& multiplexer, connection& connection)
{
    lose_at_once(multiplexer, connection);
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    close(multiplexer, connection, start);
}

// The next suspects are tried on a connection that is lost in the meantime.
void try_and_lose(upstream::multiplexer& multiplexer, connection& connection)
{
    open_and_speak(multiplexer, connection);
    std::string wire;
    multiplexer.take_suspects(connection.lane, wire, start);
    close(multiplexer, connection, start);
}

// Another message is answered on a connection that is closed later.
void let_another_survive(upstream::multiplexer& multiplexer, connection& connection)
{
    const waiting_request another(multiplexer, code("100"));
    open_and_speak(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    BOOST_TEST(!multiplexer.deliver(connection.lane, code("100").key, "the reply")); // nobody receives it here
    close(multiplexer, connection, later);
}

// A coroutine that asks and receives the outcome.
class listener {
public:
    listener(upstream::multiplexer& multiplexer, upstream::question question)
        : question_(std::move(question))
        , request_(multiplexer, question_)
    {
        request_.receive(deadline_)(
            asio::bind_executor(executor, [this](const auto&, causeway::error_code error, std::string reply,
                                                 causeway::error_code) { outcome_.emplace(error, std::move(reply)); }));
    }

    ~listener()
    {
        deadline_.cancel();
        poll();
    }

    listener(const listener&) = delete;
    listener& operator=(const listener&) = delete;

    bool waits()
    {
        poll();
        return !outcome_;
    }

    causeway::error_code error() { return waits() ? causeway::error_code{} : std::get<0>(*outcome_); }
    std::string reply() { return waits() ? "" : std::get<1>(*outcome_); }

private:
    static void poll()
    {
        io.restart();
        io.poll();
    }

    upstream::question question_;
    causeway::steady_timer deadline_{executor, 1h};
    std::optional<std::tuple<causeway::error_code, std::string>> outcome_;
    waiting_request request_;
};

std::list<listener> some_that_ask_for(std::string_view text, upstream::multiplexer& multiplexer, std::size_t count)
{
    std::list<listener> all;
    while (all.size() != count)
        all.emplace_back(multiplexer, code(text));
    return all;
}

std::list<listener> three_that_ask_for(std::string_view text, upstream::multiplexer& multiplexer)
{
    return some_that_ask_for(text, multiplexer, 3);
}

// The coroutines that ask, in the order in which they asked.
class askers {
public:
    explicit askers(upstream::multiplexer& multiplexer)
        : multiplexer_(multiplexer)
    {
    }

    void ask(std::string_view text) { requests_[std::string(text)].emplace(multiplexer_, code(text)); }

    void ask_all(std::initializer_list<std::string_view> texts)
    {
        for (const auto text : texts)
            ask(text);
    }

    // The request for `text` got a reply, or none in time.
    void leave(std::string_view text) { requests_.erase(std::string(text)); }

private:
    upstream::multiplexer& multiplexer_;
    std::map<std::string, std::optional<waiting_request>> requests_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(multiplexer)

BOOST_AUTO_TEST_CASE(without_a_connection_requests_wait_in_the_backlog)
{
    upstream::multiplexer multiplexer(executor, 2);
    askers askers(multiplexer);

    askers.ask_all({"001", "002", "003"});

    BOOST_TEST(!multiplexer.any_works());
    BOOST_TEST(multiplexer.backlog() == 3U);
    askers.leave("002");
    BOOST_TEST(multiplexer.backlog() == 2U);
}

BOOST_AUTO_TEST_CASE(it_is_connected_while_any_lane_is_open)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    BOOST_TEST(!multiplexer.any_works());

    multiplexer.open(one.lane);
    BOOST_TEST(multiplexer.any_works());
    multiplexer.open(other.lane);
    close(multiplexer, one);
    BOOST_TEST(multiplexer.any_works());
    close(multiplexer, other);
    BOOST_TEST(!multiplexer.any_works());
}

BOOST_AUTO_TEST_CASE(requests_are_written_in_the_order_of_their_coming)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002"});
    multiplexer.open(connection.lane);
    askers.ask_all({"003", "aZ9"});

    BOOST_TEST(take(multiplexer, connection) == "001\n002\n003\naZ9\n");
}

BOOST_AUTO_TEST_CASE(a_request_is_written_once)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask("001");
    BOOST_TEST(take(multiplexer, connection) == "001\n");

    BOOST_TEST(take(multiplexer, connection) == "");
    askers.ask("002");
    BOOST_TEST(take(multiplexer, connection) == "002\n");
    BOOST_TEST(connection.lane.waiting() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_appended)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    std::string wire = "000\n";

    multiplexer.take(connection.lane, wire, start);

    BOOST_TEST(wire == "000\n001\n002\n");
}

BOOST_AUTO_TEST_CASE(requests_for_the_same_code_are_all_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request one(multiplexer, code("404"));
    const waiting_request other(multiplexer, code("404"));

    BOOST_TEST(take(multiplexer, connection) == "404\n404\n");
}

BOOST_AUTO_TEST_CASE(the_window_bounds_the_requests_on_a_connection)
{
    for (const std::size_t window : {1U, 2U, 3U}) {
        upstream::multiplexer multiplexer(executor, window);
        connection connection;
        askers askers(multiplexer);
        multiplexer.open(connection.lane);

        askers.ask_all({"001", "002", "003", "004", "005"});

        BOOST_TEST(connection.lane.waiting() == window);
        BOOST_TEST(multiplexer.backlog() == 5 - window);
        BOOST_TEST(take(multiplexer, connection) == std::string("001\n002\n003\n").substr(0, 4 * window));
        BOOST_TEST(take(multiplexer, connection) == "", "a written request has left the window too early");
    }
}

BOOST_AUTO_TEST_CASE(a_wider_window_is_filled_at_once_and_a_narrower_one_takes_no_place_away)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003", "004"});

    multiplexer.set_window(3);
    BOOST_TEST(take(multiplexer, connection) == "001\n002\n003\n");

    multiplexer.set_window(2);
    BOOST_TEST(connection.lane.waiting() == 3U);
    askers.leave("001");
    BOOST_TEST(take(multiplexer, connection) == "");
    askers.leave("002");
    BOOST_TEST(take(multiplexer, connection) == "004\n");
}

BOOST_AUTO_TEST_CASE(the_longest_waiting_moves_up_when_a_written_request_leaves)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003", "004"});
    BOOST_TEST(take(multiplexer, connection) == "001\n002\n");

    askers.leave("002");
    BOOST_TEST(take(multiplexer, connection) == "003\n");
    askers.leave("001");
    BOOST_TEST(take(multiplexer, connection) == "004\n");
    askers.leave("003");
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(connection.lane.waiting() == 1U);
    BOOST_TEST(multiplexer.backlog() == 0U);
}

BOOST_AUTO_TEST_CASE(the_longest_waiting_moves_up_when_an_unwritten_request_leaves)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003"});

    askers.leave("001");

    BOOST_TEST(take(multiplexer, connection) == "002\n003\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_leaves_the_backlog_is_passed_over)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003"});
    BOOST_TEST(take(multiplexer, connection) == "001\n");

    askers.leave("002");
    askers.leave("001");

    BOOST_TEST(take(multiplexer, connection) == "003\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_left_before_it_was_written_is_not_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003"});

    askers.leave("002");

    BOOST_TEST(take(multiplexer, connection) == "001\n003\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_left_before_there_was_a_connection_is_not_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002", "003"});
    askers.leave("002");

    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "001\n003\n");
}

BOOST_AUTO_TEST_CASE(a_lost_connection_tells_how_many_requests_had_been_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);
    askers.ask_all({"003", "004", "005"});

    BOOST_TEST(close(multiplexer, connection) == 2U);
    BOOST_TEST(connection.lane.waiting() == 0U);
    BOOST_TEST(multiplexer.backlog() == 5U);

    multiplexer.open(connection.lane);
    BOOST_TEST(close(multiplexer, connection) == 0U);
}

BOOST_AUTO_TEST_CASE(a_new_connection_writes_again_what_the_lost_one_had_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);

    close(multiplexer, connection);
    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "001\n002\n");
}

BOOST_AUTO_TEST_CASE(after_a_lost_connection_the_longest_waiting_comes_first)
{
    upstream::multiplexer multiplexer(executor, 4);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);
    askers.ask_all({"003", "004", "005", "006"});
    BOOST_TEST(multiplexer.backlog() == 2U);

    BOOST_TEST(close(multiplexer, connection) == 2U);
    askers.ask("007");
    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "001\n002\n003\n004\n");
    for (const auto code : {"001", "002", "003"})
        askers.leave(code);
    BOOST_TEST(take(multiplexer, connection) == "005\n006\n007\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_leaves_while_there_is_no_connection_is_not_written_again)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);
    askers.ask_all({"003", "004"});
    close(multiplexer, connection);

    askers.leave("001");
    askers.leave("004");
    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "002\n003\n");
}

BOOST_AUTO_TEST_CASE(the_connection_with_the_fewest_waiting_gets_a_request)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, one);
    multiplexer.open(other.lane);

    askers.ask_all({"003", "004"});
    BOOST_TEST(take(multiplexer, one) == "");
    BOOST_TEST(take(multiplexer, other) == "003\n004\n");

    askers.leave("001");
    askers.ask("005");
    BOOST_TEST(take(multiplexer, one) == "005\n");
    BOOST_TEST(take(multiplexer, other) == "");

    askers.leave("003");
    askers.leave("004");
    askers.ask("006");
    BOOST_TEST(take(multiplexer, one) == "");
    BOOST_TEST(take(multiplexer, other) == "006\n");
}

BOOST_AUTO_TEST_CASE(two_connections_share_the_backlog_evenly_and_in_order)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    multiplexer.open(other.lane);

    askers.ask_all({"001", "002", "003", "004", "005", "006"});

    BOOST_TEST(one.lane.waiting() == 2U);
    BOOST_TEST(other.lane.waiting() == 2U);
    BOOST_TEST(multiplexer.backlog() == 2U);
    const auto first = take(multiplexer, one);
    const auto second = take(multiplexer, other);
    BOOST_TEST(first < second);
    BOOST_TEST(first == "001\n003\n");
    BOOST_TEST(second == "002\n004\n");
}

BOOST_AUTO_TEST_CASE(a_new_connection_takes_from_the_backlog_only)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask_all({"001", "002", "003", "004", "005"});

    multiplexer.open(other.lane);

    BOOST_TEST(take(multiplexer, one) == "001\n002\n");
    BOOST_TEST(take(multiplexer, other) == "003\n004\n");
    BOOST_TEST(multiplexer.backlog() == 1U);
}

BOOST_AUTO_TEST_CASE(requests_of_a_lost_connection_move_to_the_other)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, one);
    askers.ask_all({"003"});
    multiplexer.open(other.lane);

    BOOST_TEST(close(multiplexer, one) == 2U);

    BOOST_TEST(one.lane.waiting() == 0U);
    BOOST_TEST(multiplexer.backlog() == 0U);
    BOOST_TEST(take(multiplexer, other) == "001\n002\n003\n");
}

BOOST_AUTO_TEST_CASE(what_the_other_connection_has_no_room_for_goes_to_the_backlog_in_order)
{
    upstream::multiplexer multiplexer(executor, 3);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, one);
    askers.ask("003");
    multiplexer.open(other.lane);
    askers.ask_all({"004", "005"});
    take(multiplexer, other);

    BOOST_TEST(close(multiplexer, one) == 2U);

    BOOST_TEST(other.lane.waiting() == 3U);
    BOOST_TEST(multiplexer.backlog() == 2U);
    BOOST_TEST(take(multiplexer, other) == "001\n");
    for (const auto code : {"004", "005", "001"})
        askers.leave(code);
    BOOST_TEST(take(multiplexer, other) == "002\n003\n");
}

BOOST_AUTO_TEST_CASE(requests_of_a_lost_connection_wait_at_the_head_of_the_backlog)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask("001");
    take(multiplexer, one);
    askers.ask("002");
    multiplexer.open(other.lane);
    askers.ask_all({"003", "004", "005", "006"});
    take(multiplexer, other);
    BOOST_TEST(multiplexer.backlog() == 2U);

    BOOST_TEST(close(multiplexer, one) == 1U);

    BOOST_TEST(multiplexer.backlog() == 4U);
    askers.leave("003");
    BOOST_TEST(take(multiplexer, other) == "001\n");
    askers.leave("004");
    BOOST_TEST(take(multiplexer, other) == "002\n");
    askers.leave("001");
    BOOST_TEST(take(multiplexer, other) == "005\n");
    askers.leave("002");
    BOOST_TEST(take(multiplexer, other) == "006\n");
}

BOOST_AUTO_TEST_CASE(the_requests_of_the_other_connection_stay_where_they_are)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    multiplexer.open(other.lane);
    askers.ask_all({"001", "002", "003", "004"});
    take(multiplexer, one);
    take(multiplexer, other);

    close(multiplexer, one);

    BOOST_TEST(other.lane.waiting() == 2U);
    BOOST_TEST(take(multiplexer, other) == "");
    BOOST_TEST(multiplexer.backlog() == 2U);
}

BOOST_AUTO_TEST_CASE(the_writer_is_woken_by_the_first_request_only)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    BOOST_TEST(connection.wakes == 0);

    askers.ask("001");
    BOOST_TEST(connection.wakes == 1);
    askers.ask_all({"002", "003"});
    BOOST_TEST(connection.wakes == 1);
}

BOOST_AUTO_TEST_CASE(the_writer_is_woken_again_after_it_took_everything)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask("001");
    take(multiplexer, connection);
    BOOST_TEST(connection.wakes == 1);

    askers.ask("002");
    BOOST_TEST(connection.wakes == 2);
}

BOOST_AUTO_TEST_CASE(the_writer_is_woken_again_after_all_unwritten_requests_left)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask("001");
    askers.leave("001");
    BOOST_TEST(connection.wakes == 1);

    askers.ask("002");
    BOOST_TEST(connection.wakes == 2);
}

BOOST_AUTO_TEST_CASE(the_writer_is_woken_when_a_request_moves_up_from_the_backlog)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002", "003"});
    take(multiplexer, connection);
    BOOST_TEST(connection.wakes == 1);

    askers.leave("003");
    BOOST_TEST(connection.wakes == 1);
    askers.leave("001");
    BOOST_TEST(connection.wakes == 2);
}

BOOST_AUTO_TEST_CASE(the_writer_of_a_new_connection_is_woken_once_when_there_is_a_backlog)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002"});

    multiplexer.open(connection.lane);
    BOOST_TEST(connection.wakes == 1);
    close(multiplexer, connection);
    BOOST_TEST(connection.wakes == 1);
    multiplexer.open(connection.lane);
    BOOST_TEST(connection.wakes == 2);
}

BOOST_AUTO_TEST_CASE(only_the_writer_that_got_something_is_woken)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection one;
    connection other;
    askers askers(multiplexer);
    multiplexer.open(one.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, one);
    multiplexer.open(other.lane);

    askers.ask("003");
    BOOST_TEST(one.wakes == 1);
    BOOST_TEST(other.wakes == 1);
    take(multiplexer, other);

    close(multiplexer, one);
    BOOST_TEST(one.wakes == 1);
    BOOST_TEST(other.wakes == 2);
}

BOOST_AUTO_TEST_CASE(a_request_that_lost_its_reply_to_one_elsewhere_takes_its_place)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    multiplexer.open(other.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    const waiting_request second(multiplexer, code("404"));
    take(multiplexer, one);
    take(multiplexer, other);

    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    first->take_reply();
    first.reset();

    BOOST_TEST(one.lane.on_the_wire() == 1U);
    BOOST_TEST(other.lane.on_the_wire() == 0U);
    BOOST_TEST(close(multiplexer, one) == 1U);
    BOOST_TEST(take(multiplexer, other) == "404\n");
}

BOOST_AUTO_TEST_CASE(it_is_known_where_the_message_was_written_that_was_answered)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    multiplexer.open(other.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    const waiting_request second(multiplexer, code("404"));
    take(multiplexer, other);
    BOOST_TEST(!first->last_written());
    BOOST_TEST(second.last_written()->on == &other.lane);

    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    BOOST_TEST(first->take_reply()->on == &other.lane);
    first.reset();

    BOOST_TEST(!second.last_written(), "it has the place of one that was not written");
    take(multiplexer, one);
    BOOST_TEST(second.last_written()->on == &one.lane);
}

BOOST_AUTO_TEST_CASE(a_request_that_lost_its_reply_takes_the_place_of_the_next_one_too)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    connection third;
    for (auto* each : {&one, &other, &third})
        multiplexer.open(each->lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    std::optional<waiting_request> second(std::in_place, multiplexer, code("404"));
    const waiting_request last(multiplexer, code("404"));
    for (auto* each : {&one, &other, &third})
        take(multiplexer, *each);
    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    first->take_reply();
    first.reset();

    multiplexer.deliver(third.lane, code("404").key, "the reply that was meant for the last");
    BOOST_TEST(second->take_reply()->on == &third.lane);
    second.reset();

    BOOST_TEST(one.lane.on_the_wire() == 1U, "the last has the place that the first had");
    BOOST_TEST(last.last_written()->on == &one.lane);
}

BOOST_AUTO_TEST_CASE(a_request_that_changes_places_has_the_bytes_of_its_new_place)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    take(multiplexer, one);
    multiplexer.open(other.lane);
    std::optional<waiting_request> before(std::in_place, multiplexer, code("100"));
    take(multiplexer, other);
    before.reset();
    const waiting_request second(multiplexer, code("404"));
    BOOST_TEST(take(multiplexer, other) == "404\n");
    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    first->take_reply();
    first.reset();

    multiplexer.put_back(one.lane, 0);

    BOOST_TEST(one.lane.on_the_wire() == 1U, "all bytes of the first were handed over");
}

BOOST_AUTO_TEST_CASE(a_request_that_is_answered_on_its_own_connection_moves_nobody)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    multiplexer.open(one.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    const waiting_request second(multiplexer, code("404"));
    take(multiplexer, one);

    multiplexer.deliver(one.lane, code("404").key, "a reply");
    first->take_reply();
    first.reset();

    BOOST_TEST(one.lane.on_the_wire() == 1U);
    BOOST_TEST(multiplexer.backlog() == 0U);
}

BOOST_AUTO_TEST_CASE(a_request_that_changes_places_has_the_strikes_of_its_new_place)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    connection third;
    multiplexer.open(one.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    take(multiplexer, one);
    const waiting_request suspect(multiplexer, code("404"));
    make_suspects(multiplexer, other);
    try_and_lose(multiplexer, other);
    try_and_lose(multiplexer, third);
    open_and_speak(multiplexer, other);
    BOOST_TEST(take_suspects(multiplexer, other) == "404\n");

    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the suspect");
    first->take_reply();
    first.reset();
    multiplexer.spoke(one.lane);

    BOOST_TEST(close(multiplexer, one, start) == 1U, "the message on this one was never lost before");
    BOOST_TEST(!multiplexer.has_suspects());
    BOOST_TEST(take(multiplexer, other) == "404\n");
}

BOOST_AUTO_TEST_CASE(a_request_that_takes_the_place_of_a_suspect_is_one)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    std::optional<waiting_request> suspect(std::in_place, multiplexer, code("404"));
    take(multiplexer, one);
    multiplexer.open(other.lane);
    const waiting_request second(multiplexer, code("404"));
    BOOST_TEST(take(multiplexer, other) == "404\n");
    close(multiplexer, one, start);
    multiplexer.open(one.lane);
    take(multiplexer, one);
    close(multiplexer, one, start);

    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    suspect->take_reply();
    suspect.reset();

    open_and_speak(multiplexer, one);
    BOOST_TEST(take_suspects(multiplexer, one) == "404\n");
    close(multiplexer, one, later);
    BOOST_TEST(multiplexer.has_suspects(), "its message has not been acquitted");
}

BOOST_AUTO_TEST_CASE(a_request_that_changes_places_has_the_age_of_its_new_place)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    open_and_speak(multiplexer, one);
    multiplexer.open(other.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    const waiting_request second(multiplexer, code("404"));
    take(multiplexer, one);
    take(multiplexer, other);
    close(multiplexer, other, start);
    close(multiplexer, one, start);
    open_and_speak(multiplexer, one);
    multiplexer.open(other.lane);
    take(multiplexer, one, start);
    take(multiplexer, other, later);
    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the second");
    first->take_reply();
    first.reset();

    close(multiplexer, one, later);

    BOOST_TEST(!multiplexer.has_suspects(), "the message on this one had been written long before");
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_trusted_gets_nothing_while_another_is_open)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.open(doubtful.lane);
    askers.ask("100");
    take(multiplexer, doubtful);
    multiplexer.distrust(doubtful.lane);
    close(multiplexer, doubtful);
    multiplexer.open(good.lane);
    multiplexer.open(doubtful.lane, true);

    askers.ask_all({"101", "102"});
    BOOST_TEST(doubtful.lane.doubtful());
    BOOST_TEST(take(multiplexer, doubtful) == "");
    BOOST_TEST(doubtful.lane.waiting() == 0U);
    BOOST_TEST(take(multiplexer, good) == "100\n101\n102\n");

    multiplexer.spoke(doubtful.lane);
    askers.ask("103");
    BOOST_TEST(take(multiplexer, doubtful) == "103\n");
}

BOOST_AUTO_TEST_CASE(a_connection_without_a_probe_that_is_not_trusted_is_asked_one_thing_at_a_time)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(good.lane);
    multiplexer.open(doubtful.lane, false);

    askers.ask_all({"100", "101", "102", "103"});
    BOOST_TEST(doubtful.lane.waiting() == 1U);
    BOOST_TEST(good.lane.waiting() == 3U);

    multiplexer.spoke(doubtful.lane);
    askers.ask_all({"104", "105"});
    BOOST_TEST(doubtful.lane.waiting() == 3U);
}

BOOST_AUTO_TEST_CASE(a_sign_of_life_ends_probation_and_leaves_a_connection_that_is_not_trusted_one_thing_at_a_time)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(good.lane);
    multiplexer.open(doubtful.lane, true);
    askers.ask_all({"100", "101"});
    BOOST_TEST(doubtful.lane.waiting() == 0U);

    multiplexer.gave_sign_of_life(doubtful.lane);
    askers.ask_all({"102", "103"});
    BOOST_TEST(doubtful.lane.doubtful());
    BOOST_TEST(doubtful.lane.waiting() == 1U);

    multiplexer.spoke(doubtful.lane);
    multiplexer.gave_sign_of_life(doubtful.lane); // which takes nothing back
    BOOST_TEST(!doubtful.lane.doubtful());
    askers.ask_all({"104", "105"});
    BOOST_TEST(doubtful.lane.waiting() == 3U);
}

BOOST_AUTO_TEST_CASE(a_sign_of_life_shows_that_a_connection_works_that_is_trusted)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection back;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane, true);
    askers.ask("100");
    take(multiplexer, doubtful);
    multiplexer.open(back.lane, true);

    multiplexer.gave_sign_of_life(back.lane);

    BOOST_TEST(take(multiplexer, back) == "100\n");
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_trusted_gets_everything_when_there_is_no_other)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane, true);

    askers.ask_all({"100", "101"});

    BOOST_TEST(take(multiplexer, doubtful) == "100\n101\n");
}

BOOST_AUTO_TEST_CASE(what_a_connection_that_is_not_trusted_was_asked_goes_to_one_that_works)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection back;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane, true);
    askers.ask_all({"100", "101"});
    take(multiplexer, doubtful);
    askers.ask("102");
    BOOST_TEST(doubtful.lane.waiting() == 3U);

    multiplexer.open(back.lane, true);
    BOOST_TEST(take(multiplexer, back) == "", "it does not work yet, as far as is known");
    multiplexer.spoke(back.lane);

    BOOST_TEST(take(multiplexer, back) == "100\n101\n102\n");
    BOOST_TEST(doubtful.lane.waiting() == 0U);
    BOOST_TEST(close(multiplexer, doubtful) == 2U, "so many are written again");
}

BOOST_AUTO_TEST_CASE(what_a_connection_on_probation_was_asked_goes_to_one_that_works)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection on_probation;
    connection back;
    askers askers(multiplexer);
    multiplexer.open(on_probation.lane, true);
    askers.ask("100");
    take(multiplexer, on_probation);

    multiplexer.open(back.lane);

    BOOST_TEST(take(multiplexer, back) == "100\n");
    BOOST_TEST(on_probation.lane.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(what_has_a_key_of_its_own_stays_where_it_was_written)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection doubtful;
    connection back;
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane, true);
    const auto payment = order("100");
    const waiting_request written(multiplexer, payment);
    take(multiplexer, doubtful);
    const auto next = order("101");
    const waiting_request not_written(multiplexer, next);

    multiplexer.open(back.lane);

    BOOST_TEST(take(multiplexer, back) == "101\n");
    BOOST_TEST(doubtful.lane.on_the_wire() == 1U);
}

BOOST_AUTO_TEST_CASE(when_the_last_trusted_connection_falls_silent_any_other_takes_the_backlog)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane, true);
    multiplexer.open(good.lane);
    askers.ask_all({"100", "101", "102"});
    BOOST_TEST(take(multiplexer, good) == "100\n101\n");
    BOOST_TEST(take(multiplexer, doubtful) == "");

    multiplexer.distrust(good.lane);

    BOOST_TEST(take(multiplexer, doubtful) == "102\n");
}

BOOST_AUTO_TEST_CASE(a_request_knows_whether_it_was_written)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request request(multiplexer, code("100"));
    multiplexer.open(connection.lane);
    BOOST_TEST(!request.written());

    take(multiplexer, connection);
    BOOST_TEST(request.written());
    close(multiplexer, connection);
    BOOST_TEST(request.written());
}

BOOST_AUTO_TEST_CASE(a_restart_of_the_upstream_costs_a_request_nothing_however_often)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener listener(multiplexer, code("100"));
    for (int restart = 0; restart < 10; ++restart) {
        open_and_speak(multiplexer, connection);
        BOOST_TEST(take(multiplexer, connection) == "100\n");
        close(multiplexer, connection, later);
    }

    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    multiplexer.deliver(connection.lane, code("100").key, "the reply");
    BOOST_TEST(listener.reply() == "the reply");
}

BOOST_AUTO_TEST_CASE(what_is_lost_once_is_written_again_at_once)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"100", "101"});
    lose_at_once(multiplexer, connection);
    askers.ask("102");

    open_and_speak(multiplexer, connection);

    BOOST_TEST(!multiplexer.has_suspects());
    BOOST_TEST(take(multiplexer, connection) == "100\n101\n102\n");
}

BOOST_AUTO_TEST_CASE(what_is_lost_soon_after_it_was_written_waits_for_a_connection_that_has_received_something)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    BOOST_TEST(!multiplexer.has_lost());
    askers.ask_all({"100", "101"});
    lose_at_once(multiplexer, connection);
    BOOST_TEST(multiplexer.has_lost());
    askers.ask_all({"102", "103"});

    multiplexer.open(connection.lane, true);

    BOOST_TEST(take(multiplexer, connection) == "102\n103\n");
    BOOST_TEST(multiplexer.backlog() == 2U);
    BOOST_TEST(multiplexer.waiting().backlog == 2U);
    multiplexer.gave_sign_of_life(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n101\n");
    BOOST_TEST(!multiplexer.has_lost());
}

BOOST_AUTO_TEST_CASE(what_is_lost_long_after_it_was_written_waits_for_nothing)
{
    constexpr auto long_after = start + upstream::multiplexer::blame_for;
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request request(multiplexer, code("100"));
    for (int loss = 0; loss != 10; ++loss) {
        multiplexer.open(connection.lane, true);
        BOOST_TEST(take(multiplexer, connection) == "100\n");
        close(multiplexer, connection, long_after);
        BOOST_TEST(!multiplexer.has_lost());
    }
}

BOOST_AUTO_TEST_CASE(what_is_lost_twice_is_suspect_if_it_was_written_just_before)
{
    constexpr auto too_long = upstream::multiplexer::blame_for;
    for (const auto age : {0ns, too_long - 1ns, too_long, too_long + 1ns}) {
        upstream::multiplexer multiplexer(executor, 8);
        connection connection;
        const waiting_request request(multiplexer, code("666"));
        open_and_speak(multiplexer, connection);
        take(multiplexer, connection);
        close(multiplexer, connection, start);
        open_and_speak(multiplexer, connection);
        take(multiplexer, connection);

        BOOST_TEST(close(multiplexer, connection, start + age) == 1U);

        BOOST_TEST(multiplexer.has_suspects() == (age < too_long));
        multiplexer.open(connection.lane);
        BOOST_TEST(take(multiplexer, connection) == (age < too_long ? "" : "666\n"));
    }
}

BOOST_AUTO_TEST_CASE(only_what_was_written_just_before_the_second_loss_is_suspect)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask("666");
    lose_at_once(multiplexer, connection);
    askers.ask("100");
    lose_at_once(multiplexer, connection);
    askers.ask("101"); // not written

    open_and_speak(multiplexer, connection);

    BOOST_TEST(take(multiplexer, connection) == "100\n101\n");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
}

BOOST_AUTO_TEST_CASE(what_is_lost_twice_on_connections_that_work_and_alone_is_tried_in_quiet)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request poison(multiplexer, code("666"));
    lose_at_once(multiplexer, connection);
    lose_at_once(multiplexer, connection);

    open_and_speak(multiplexer, connection);

    BOOST_TEST(multiplexer.has_suspects_for(connection.lane));
    BOOST_TEST(multiplexer.needs_quiet(connection.lane));
}

// A proxy may have accepted it for an upstream that is away.
BOOST_AUTO_TEST_CASE(a_connection_that_never_spoke_makes_suspects_and_gives_no_strikes)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener listener(multiplexer, code("100"));
    for (int loss = 0; loss < 2; ++loss) {
        BOOST_TEST(!multiplexer.has_suspects());
        multiplexer.open(connection.lane);
        BOOST_TEST(take(multiplexer, connection) == "100\n");
        close(multiplexer, connection, start);
    }
    for (int loss = 0; loss < 10; ++loss) {
        BOOST_TEST(multiplexer.has_suspects());
        multiplexer.open(connection.lane);
        BOOST_TEST(take_suspects(multiplexer, connection) == "100\n");
        close(multiplexer, connection, start);
    }

    BOOST_TEST(listener.waits());
}

BOOST_AUTO_TEST_CASE(on_a_connection_on_probation_suspects_are_tried_when_something_has_come)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask("666");
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    askers.ask("100");

    multiplexer.open(connection.lane, true);

    BOOST_TEST(!multiplexer.has_suspects_for(connection.lane));
    BOOST_TEST(take_suspects(multiplexer, connection) == "");
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    multiplexer.spoke(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
    close(multiplexer, connection, later);
    multiplexer.open(connection.lane, true);
    BOOST_TEST(!multiplexer.has_suspects_for(connection.lane), "it is a new one");
}

BOOST_AUTO_TEST_CASE(suspects_wait_for_a_connection_that_has_spoken_and_hold_up_nobody)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask("666");
    make_suspects(multiplexer, connection);
    askers.ask("100");

    multiplexer.open(connection.lane, true);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    BOOST_TEST(multiplexer.backlog() == 1U);
    BOOST_TEST(connection.wakes == 3);

    multiplexer.spoke(connection.lane);
    BOOST_TEST(connection.wakes == 4);
    BOOST_TEST(multiplexer.has_suspects_for(connection.lane));
    BOOST_TEST(take(multiplexer, connection) == "", "a suspect is to be alone");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
    BOOST_TEST(multiplexer.backlog() == 0U);
    BOOST_TEST(!multiplexer.has_suspects());
}

BOOST_AUTO_TEST_CASE(suspects_are_not_tried_where_there_is_no_room)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection busy;
    connection other;
    askers askers(multiplexer);
    open_and_speak(multiplexer, busy);
    askers.ask_all({"100", "666"});
    take(multiplexer, busy);
    make_suspects(multiplexer, other);
    BOOST_TEST(!multiplexer.has_suspects_for(busy.lane));
    BOOST_TEST(take_suspects(multiplexer, busy) == "");
    const auto wakes = busy.wakes;

    askers.leave("100");

    BOOST_TEST(busy.wakes == wakes + 1);
    BOOST_TEST(take_suspects(multiplexer, busy) == "666\n");
}

BOOST_AUTO_TEST_CASE(a_probe_has_a_place_in_the_window)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection connection;
    askers askers(multiplexer);
    askers.ask("100");

    multiplexer.open(connection.lane, true);
    BOOST_TEST(take(multiplexer, connection) == "", "a backend that takes a segment for one message got the probe");
    multiplexer.spoke(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
}

BOOST_AUTO_TEST_CASE(suspects_find_room_however_many_requests_come)
{
    upstream::multiplexer multiplexer(executor, 4);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002", "003"});
    make_suspects(multiplexer, connection);
    askers.ask_all({"100", "101", "102", "103", "104"});

    open_and_speak(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection) == "100\n101\n102\n");
    BOOST_TEST(take_suspects(multiplexer, connection) == "003\n");
    multiplexer.acquit(connection.lane);
    askers.leave("003");
    askers.leave("100");
    BOOST_TEST(take(multiplexer, connection) == "", "the next two suspects have the room");
    BOOST_TEST(take_suspects(multiplexer, connection) == "002\n001\n");
    askers.leave("002");
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "103\n");
}

BOOST_AUTO_TEST_CASE(no_room_is_kept_free_for_a_trial_that_has_to_wait)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection connection;
    askers askers(multiplexer);
    askers.ask("666");
    lose_at_once(multiplexer, connection);
    lose_at_once(multiplexer, connection); // so it needs quiet
    askers.ask("100");
    open_and_speak(multiplexer, connection);
    take(multiplexer, connection);
    close(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection) == "100\n", "which was lost, so the other has to wait for its reply");
    askers.ask("101");
    BOOST_TEST(take(multiplexer, connection) == "101\n");
    askers.ask("102");

    askers.leave("100");

    BOOST_TEST(take(multiplexer, connection) == "", "now the room is for the suspect");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
}

BOOST_AUTO_TEST_CASE(what_was_kept_free_for_suspects_is_dealt_out_when_another_connection_tries_them)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    askers askers(multiplexer);
    askers.ask("666");
    make_suspects(multiplexer, one);
    open_and_speak(multiplexer, one);
    open_and_speak(multiplexer, other);
    askers.ask("100");
    BOOST_TEST(take(multiplexer, other) == "", "the room is for the suspect");
    const auto wakes = other.wakes;

    BOOST_TEST(take_suspects(multiplexer, one) == "666\n");

    BOOST_TEST(other.wakes == wakes + 1);
    BOOST_TEST(take(multiplexer, other) == "100\n");
}

BOOST_AUTO_TEST_CASE(suspects_are_tried_on_a_connection_that_is_trusted)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    const waiting_request suspect(multiplexer, code("666"));
    make_suspects(multiplexer, good);
    open_and_speak(multiplexer, doubtful);
    multiplexer.open(good.lane);

    multiplexer.distrust(doubtful.lane);

    BOOST_TEST(!multiplexer.has_suspects_for(doubtful.lane));
    multiplexer.spoke(good.lane);
    BOOST_TEST(multiplexer.has_suspects_for(good.lane));
    multiplexer.spoke(doubtful.lane);
    BOOST_TEST(multiplexer.has_suspects_for(doubtful.lane));
}

BOOST_AUTO_TEST_CASE(twice_as_many_suspects_are_tried_after_each_acquittal)
{
    upstream::multiplexer multiplexer(executor, 16);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002", "003", "004", "005", "006", "007", "008"});
    make_suspects(multiplexer, connection);

    open_and_speak(multiplexer, connection);
    BOOST_TEST(take_suspects(multiplexer, connection) == "008\n", "what kills at once was written last");
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "007\n006\n");
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "005\n004\n003\n002\n");
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "001\n");
}

BOOST_AUTO_TEST_CASE(on_a_new_connection_one_suspect_is_tried_again)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"001", "002", "003", "004"});
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    take_suspects(multiplexer, connection);
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "003\n002\n");

    close(multiplexer, connection, start + 1ms);
    open_and_speak(multiplexer, connection);

    BOOST_TEST(take_suspects(multiplexer, connection) == "001\n", "those that were tried go behind");
}

BOOST_AUTO_TEST_CASE(suspects_are_tried_however_many_have_been_acquitted)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request suspect(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);

    for (int trial = 0; trial < 100; ++trial)
        multiplexer.acquit(connection.lane);

    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
}

BOOST_AUTO_TEST_CASE(an_acquitted_request_is_like_any_other)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request request(multiplexer, code("100"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    take_suspects(multiplexer, connection);

    multiplexer.acquit(connection.lane);

    close(multiplexer, connection, later);
    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
}

BOOST_AUTO_TEST_CASE(a_suspect_stays_one_until_it_is_acquitted)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request suspect(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    take_suspects(multiplexer, connection);

    close(multiplexer, connection, later);

    BOOST_TEST(multiplexer.has_suspects());
}

BOOST_AUTO_TEST_CASE(what_needs_quiet_is_not_tried_where_it_was_lost_while_another_connection_works)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    const waiting_request poison(multiplexer, code("666"));
    make_suspects(multiplexer, one);
    try_and_lose(multiplexer, one);
    open_and_speak(multiplexer, one);
    BOOST_TEST(multiplexer.has_suspects_for(one.lane), "no other works");

    open_and_speak(multiplexer, other);
    BOOST_TEST(!multiplexer.has_suspects_for(one.lane));
    BOOST_TEST(take_suspects(multiplexer, other) == "666\n");

    close(multiplexer, other, start + 1ms);
    open_and_speak(multiplexer, other);
    BOOST_TEST(!multiplexer.has_suspects_for(other.lane));
    BOOST_TEST(multiplexer.has_suspects_for(one.lane));
}

// Whatever the other one is busy with.
BOOST_AUTO_TEST_CASE(what_waits_for_another_connection_holds_up_nothing_where_it_was_lost)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    const waiting_request poison(multiplexer, code("666"));
    make_suspects(multiplexer, one);
    try_and_lose(multiplexer, one);
    open_and_speak(multiplexer, other);
    askers askers(multiplexer);
    askers.ask("100");
    BOOST_TEST(take(multiplexer, other) == "", "the room is for the suspect");

    open_and_speak(multiplexer, one);

    BOOST_TEST(take(multiplexer, one) == "100\n");
}

BOOST_AUTO_TEST_CASE(a_suspect_behind_one_that_waits_for_another_connection_is_tried)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    const waiting_request poison(multiplexer, code("666"));
    make_suspects(multiplexer, one);
    try_and_lose(multiplexer, one);
    const waiting_request second(multiplexer, code("777"));
    make_suspects(multiplexer, other); // which makes the second a suspect
    open_and_speak(multiplexer, one);
    open_and_speak(multiplexer, other);

    BOOST_TEST(!multiplexer.needs_quiet(one.lane));
    BOOST_TEST(take_suspects(multiplexer, one) == "777\n");
    BOOST_TEST(multiplexer.needs_quiet(other.lane));
    BOOST_TEST(take_suspects(multiplexer, other) == "666\n");
}

BOOST_AUTO_TEST_CASE(what_needs_quiet_is_tried_alone_however_many_are_tried_at_once)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request poison(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    const waiting_request same_message(multiplexer, code("666"));
    open_and_speak(multiplexer, connection);
    multiplexer.acquit(connection.lane); // so the next two

    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
}

BOOST_AUTO_TEST_CASE(what_a_message_has_done_counts_for_all_that_have_it)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    auto poisons = three_that_ask_for("666", multiplexer);
    make_suspects(multiplexer, connection);
    for (int deaths = 0; deaths != 3; ++deaths) {
        for (auto& poison : poisons)
            BOOST_TEST(poison.waits());
        let_another_survive(multiplexer, connection);
        try_and_lose(multiplexer, connection);
    }

    for (auto& poison : poisons)
        BOOST_TEST(poison.error() == asio::error::connection_aborted);
}

BOOST_AUTO_TEST_CASE(what_is_acquitted_has_survived)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    auto poisons = three_that_ask_for("666", multiplexer);
    const waiting_request another(multiplexer, code("100"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    BOOST_TEST(take_suspects(multiplexer, connection) == "100\n");
    multiplexer.acquit(connection.lane);
    close(multiplexer, connection, later);

    try_and_lose(multiplexer, connection);

    open_and_speak(multiplexer, connection);
    BOOST_TEST(multiplexer.needs_quiet(connection.lane), "an equal of the one that was lost");
}

BOOST_AUTO_TEST_CASE(a_survivor_shows_something_about_one_loss)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    auto popular = three_that_ask_for("200", multiplexer);
    make_suspects(multiplexer, connection);
    let_another_survive(multiplexer, connection);
    try_and_lose(multiplexer, connection); // counts for all

    for (int deaths = 0; deaths != 3; ++deaths) // one of each
        try_and_lose(multiplexer, connection);

    for (auto& request : popular)
        BOOST_TEST(request.waits());
    try_and_lose(multiplexer, connection);
    for (auto& request : popular)
        BOOST_TEST(!request.waits());
}

BOOST_AUTO_TEST_CASE(only_another_message_is_another_survivor)
{
    const auto one = code("100").key;
    const auto other = code("101").key;
    upstream::survivors survivors;
    BOOST_TEST(!survivors.has_another(one));
    survivors.add(one);
    survivors.add(one);
    BOOST_TEST(!survivors.has_another(one));
    BOOST_TEST(survivors.has_another(other));

    survivors.add(other);
    BOOST_TEST(survivors.has_another(one));

    survivors.clear();
    BOOST_TEST(!survivors.has_another(one));
}

BOOST_AUTO_TEST_CASE(before_its_equals_are_tried_the_others_show_whether_they_survive)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"100", "101"});
    const waiting_request poison(multiplexer, code("666"));
    const waiting_request equal(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);

    open_and_speak(multiplexer, connection);

    BOOST_TEST(take_suspects(multiplexer, connection) == "101\n");
}

// The upstream may die of anything, as one that crashes soon after each start.
BOOST_AUTO_TEST_CASE(where_nothing_survives_each_counts_for_itself)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    let_another_survive(multiplexer, connection); // before there are suspects
    auto popular = three_that_ask_for("200", multiplexer);
    make_suspects(multiplexer, connection);

    for (int deaths = 0; deaths != 2 * 3; ++deaths) // two of each
        try_and_lose(multiplexer, connection);
    for (auto& request : popular)
        BOOST_TEST(request.waits());

    try_and_lose(multiplexer, connection);
    for (auto& request : popular)
        BOOST_TEST(!request.waits());
}

// Otherwise all that wait for a popular key would have to be tried, one after the other.
BOOST_AUTO_TEST_CASE(what_a_message_has_not_done_counts_for_all_that_have_it)
{
    for (const bool is_answered : {false, true}) {
        upstream::multiplexer multiplexer(executor, 8);
        connection connection;
        auto innocents = three_that_ask_for("200", multiplexer);
        make_suspects(multiplexer, connection);
        let_another_survive(multiplexer, connection);
        try_and_lose(multiplexer, connection);
        open_and_speak(multiplexer, connection);
        BOOST_TEST(multiplexer.needs_quiet(connection.lane));
        BOOST_TEST(take_suspects(multiplexer, connection) == "200\n");

        if (is_answered)
            multiplexer.deliver(connection.lane, code("200").key, "the reply");
        else
            multiplexer.acquit(connection.lane);

        BOOST_TEST(!multiplexer.has_suspects());
        BOOST_TEST(take(multiplexer, connection) == "200\n200\n");
    }
}

// Requests for one key, all of which were released from suspicion once and are suspects again.
struct released_once {
    explicit released_once(std::size_t count)
        : multiplexer(executor, count)
        , innocents(some_that_ask_for("200", multiplexer, count))
    {
        make_suspects(multiplexer, one);
        multiplexer.open(one.lane);
        try_some(1);
        BOOST_TEST(!multiplexer.has_suspects());
        innocents.pop_back(); // the newest, which was tried
        innocents.emplace_back(multiplexer, code("200"));
        close(multiplexer, one, later);
        make_suspects(multiplexer, one);
    }

    static std::string lines(std::size_t count)
    {
        std::string text;
        while (count-- != 0)
            text += "200\n";
        return text;
    }

    // They survive.
    void try_some(std::size_t count)
    {
        multiplexer.spoke(one.lane);
        BOOST_TEST(take_suspects(multiplexer, one) == lines(count));
        multiplexer.acquit(one.lane);
    }

    upstream::multiplexer multiplexer;
    connection one;
    std::list<listener> innocents;
};

// Such an upstream may die at random, the more probably the more is written.
BOOST_AUTO_TEST_CASE(what_is_lost_again_after_it_was_released_is_released_in_growing_numbers)
{
    released_once again(1 + 4 + 2 + 8 + 1);
    again.multiplexer.open(again.one.lane);

    again.try_some(1);
    BOOST_TEST(take(again.multiplexer, again.one) == again.lines(4));
    again.try_some(2);
    BOOST_TEST(take(again.multiplexer, again.one) == again.lines(8));
    BOOST_TEST(again.multiplexer.has_suspects());
}

BOOST_AUTO_TEST_CASE(the_longest_waiting_are_released_first)
{
    released_once again(1 + 4 + 1);
    again.multiplexer.open(again.one.lane);
    again.try_some(1);

    again.innocents.pop_front();

    BOOST_TEST(take(again.multiplexer, again.one) == again.lines(3));
}

BOOST_AUTO_TEST_CASE(what_is_not_released_needs_no_quiet)
{
    released_once again(1 + 4 + 1);
    let_another_survive(again.multiplexer, again.one);
    try_and_lose(again.multiplexer, again.one); // counts for all
    again.multiplexer.open(again.one.lane);
    BOOST_TEST(again.multiplexer.needs_quiet(again.one.lane));

    again.try_some(1);

    BOOST_TEST(again.multiplexer.has_suspects());
    BOOST_TEST(!again.multiplexer.needs_quiet(again.one.lane));
}

BOOST_AUTO_TEST_CASE(a_request_that_inherits_suspicion_was_released_too)
{
    released_once again(2);
    const auto heirs = some_that_ask_for("200", again.multiplexer, 1 + 4 + 1);
    again.innocents.clear();
    again.multiplexer.open(again.one.lane);

    again.try_some(1);

    BOOST_TEST(again.multiplexer.has_suspects());
}

BOOST_AUTO_TEST_CASE(a_reply_ends_the_trial_of_all_equal_messages_on_the_connection)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask_all({"404", "200"});
    const waiting_request equal(multiplexer, code("200"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    multiplexer.acquit(connection.lane); // so two are tried
    BOOST_TEST(take_suspects(multiplexer, connection) == "200\n200\n");

    multiplexer.deliver(connection.lane, code("200").key, "the reply");

    BOOST_TEST(!multiplexer.is_trying(connection.lane));
    BOOST_TEST(multiplexer.has_suspects());
}

BOOST_AUTO_TEST_CASE(a_message_that_was_not_tried_in_quiet_brings_its_equals_no_strike)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    listener lost_twice_alone(multiplexer, code("666"));
    make_suspects(multiplexer, one);
    let_another_survive(multiplexer, one);
    try_and_lose(multiplexer, one);
    try_and_lose(multiplexer, one);
    open_and_speak(multiplexer, other); // on which it is to be tried next
    open_and_speak(multiplexer, one);
    listener equal(multiplexer, code("666"));
    BOOST_TEST(!multiplexer.needs_quiet(one.lane));
    BOOST_TEST(take_suspects(multiplexer, one) == "666\n");

    close(multiplexer, one, start);

    BOOST_TEST(lost_twice_alone.waits());
    BOOST_TEST(equal.waits());
    BOOST_TEST(take_suspects(multiplexer, other) == "666\n");
    close(multiplexer, other, start);
    BOOST_TEST(lost_twice_alone.error() == asio::error::connection_aborted, "this was the second strike");
}

// As when one process behind several addresses is restarted.
BOOST_AUTO_TEST_CASE(trials_of_one_message_that_are_lost_together_count_once)
{
    upstream::multiplexer multiplexer(executor, 8);
    std::array<connection, 3> connections;
    auto innocents = three_that_ask_for("200", multiplexer);
    make_suspects(multiplexer, connections.front());
    let_another_survive(multiplexer, connections.front());

    for (int losses = 0; losses != 3; ++losses) {
        for (auto& innocent : innocents)
            BOOST_TEST(innocent.waits());
        std::string wire;
        for (auto& connection : connections)
            open_and_speak(multiplexer, connection);
        for (auto& connection : connections)
            multiplexer.take_suspects(connection.lane, wire, start);
        BOOST_TEST(!wire.empty());
        for (auto& connection : connections)
            close(multiplexer, connection, start);
    }
}

BOOST_AUTO_TEST_CASE(what_has_killed_one_upstream_is_tried_on_another_with_whichever_request)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    const waiting_request poison(multiplexer, code("666"));
    const waiting_request equal(multiplexer, code("666"));
    make_suspects(multiplexer, other);
    let_another_survive(multiplexer, other);
    try_and_lose(multiplexer, one);

    open_and_speak(multiplexer, one);
    open_and_speak(multiplexer, other);

    BOOST_TEST(!multiplexer.has_suspects_for(one.lane));
    BOOST_TEST(multiplexer.has_suspects_for(other.lane));
}

BOOST_AUTO_TEST_CASE(requests_on_a_connection_that_does_not_work_are_unserved)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request request(multiplexer, code("404"));
    BOOST_TEST(multiplexer.has_unserved());
    open_and_speak(multiplexer, connection);
    BOOST_TEST(!multiplexer.has_unserved());
    take(multiplexer, connection);

    multiplexer.distrust(connection.lane);

    BOOST_TEST(multiplexer.has_unserved());
    BOOST_TEST(!multiplexer.any_works());
}

BOOST_AUTO_TEST_CASE(when_a_message_is_alone_to_blame_twice_all_that_wait_for_its_key_fail)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener poison(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    BOOST_TEST(poison.waits());
    listener same_code(multiplexer, code("666"));
    listener other_code(multiplexer, code("100"));
    open_and_speak(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection, start) == "100\n");
    std::string wire;
    multiplexer.take_suspects(connection.lane, wire, later);
    BOOST_TEST(wire == "666\n");

    BOOST_TEST(close(multiplexer, connection, later) == 1U);

    BOOST_TEST(poison.error() == asio::error::connection_aborted);
    BOOST_TEST(same_code.error() == asio::error::connection_aborted);
    BOOST_TEST(other_code.waits());
    BOOST_TEST(multiplexer.backlog() == 1U);
    BOOST_TEST(multiplexer.keys() == 1U);
}

BOOST_AUTO_TEST_CASE(for_a_while_nobody_can_ask_for_what_has_killed_its_connections)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request poison(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    BOOST_TEST(!multiplexer.is_condemned(code("666").key, start));

    try_and_lose(multiplexer, connection);

    BOOST_TEST(multiplexer.is_condemned(code("666").key, start));
    BOOST_TEST(!multiplexer.is_condemned(code("100").key, start));
    BOOST_TEST(!multiplexer.is_condemned(code("666").key, start + upstream::multiplexer::condemned_for));
}

BOOST_AUTO_TEST_CASE(a_message_with_the_key_of_a_suspect_is_one_too)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request suspect(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    const waiting_request same_message(multiplexer, code("666"));

    open_and_speak(multiplexer, connection);

    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
    multiplexer.acquit(connection.lane);
    BOOST_TEST(take_suspects(multiplexer, connection) == "");
    BOOST_TEST(take(multiplexer, connection) == "666\n");
}

// Otherwise a key that is asked for all the time would stay suspect for ever, and keep room free.
BOOST_AUTO_TEST_CASE(suspicion_is_passed_on_only_by_a_request_that_was_lost_itself)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection connection;
    std::optional<waiting_request> lost(std::in_place, multiplexer, code("200"));
    make_suspects(multiplexer, connection);
    std::optional<waiting_request> second(std::in_place, multiplexer, code("200"));
    open_and_speak(multiplexer, connection);
    take_suspects(multiplexer, connection);
    lost.reset();

    const waiting_request third(multiplexer, code("200"));
    const waiting_request another(multiplexer, code("404"));
    BOOST_TEST(take_suspects(multiplexer, connection) == "200\n");
    second.reset();

    BOOST_TEST(!multiplexer.has_suspects());
    BOOST_TEST(take(multiplexer, connection) == "200\n");
}

BOOST_AUTO_TEST_CASE(an_acquitted_request_has_no_strikes)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener innocent(multiplexer, code("100"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    take_suspects(multiplexer, connection);

    multiplexer.acquit(connection.lane);

    close(multiplexer, connection, start);
    lose_at_once(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    BOOST_TEST(innocent.waits(), "this was the first strike again");
    try_and_lose(multiplexer, connection);
    BOOST_TEST(!innocent.waits());
}

// A message that kills slowly was written first, for the first time.
BOOST_AUTO_TEST_CASE(a_suspect_gets_no_strike_before_it_is_tried_in_quiet)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const auto soon = start + upstream::multiplexer::blame_for;
    listener innocent(multiplexer, code("100"));
    make_suspects(multiplexer, connection);
    listener slow_killer(multiplexer, code("666"));
    open_and_speak(multiplexer, connection);
    take(multiplexer, connection, start);
    std::string wire;
    multiplexer.take_suspects(connection.lane, wire, soon);
    BOOST_TEST(wire == "100\n");

    close(multiplexer, connection, soon);

    try_and_lose(multiplexer, connection);
    BOOST_TEST(innocent.waits(), "this was its first strike");
    try_and_lose(multiplexer, connection);
    BOOST_TEST(innocent.error() == asio::error::connection_aborted);
}

// A message that kills slowly is written first on each connection, and is not a suspect.
BOOST_AUTO_TEST_CASE(a_suspect_is_not_to_blame_where_an_older_message_was_lost_once_more)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const auto soon = start + upstream::multiplexer::blame_for;
    listener innocent(multiplexer, code("100"));
    make_suspects(multiplexer, connection);
    listener slow_killer(multiplexer, code("666"));

    for (int death = 0; death != 3; ++death) {
        open_and_speak(multiplexer, connection);
        BOOST_TEST(take(multiplexer, connection, start) == "666\n");
        std::string wire;
        multiplexer.take_suspects(connection.lane, wire, soon);
        BOOST_TEST(wire == (death == 0 ? "100\n" : ""),
                   "from the second time on it waits until nobody else is to blame");
        close(multiplexer, connection, soon);
    }

    BOOST_TEST(innocent.waits());
    BOOST_TEST(slow_killer.waits());
}

BOOST_AUTO_TEST_CASE(a_suspect_that_needs_quiet_is_tried_when_the_others_that_were_lost_have_left_the_wire)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    const auto soon = start + upstream::multiplexer::blame_for;
    askers.ask("666");
    lose_at_once(multiplexer, connection);
    lose_at_once(multiplexer, connection);
    askers.ask_all({"100", "101"});
    open_and_speak(multiplexer, connection);
    take(multiplexer, connection, start);
    close(multiplexer, connection, soon);
    open_and_speak(multiplexer, connection);
    take(multiplexer, connection, start);
    askers.ask("102");
    take(multiplexer, connection, start);
    BOOST_TEST(!multiplexer.has_suspects_for(connection.lane));

    askers.leave("100");
    BOOST_TEST(!multiplexer.has_suspects_for(connection.lane));
    const auto wakes = connection.wakes;
    askers.leave("101");

    BOOST_TEST(connection.wakes == wakes + 1);
    BOOST_TEST(multiplexer.has_suspects_for(connection.lane), "what was written for the first time is not to blame");
}

BOOST_AUTO_TEST_CASE(where_several_may_be_to_blame_none_of_them_gets_a_strike)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener one(multiplexer, code("100"));
    listener other(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    for (int loss = 0; loss < 10; ++loss) {
        open_and_speak(multiplexer, connection);
        take_suspects(multiplexer, connection);
        multiplexer.acquit(connection.lane);
        take_suspects(multiplexer, connection);
        close(multiplexer, connection, start);
    }

    BOOST_TEST(one.waits());
    BOOST_TEST(other.waits());
    BOOST_TEST(multiplexer.backlog() == 2U);
}

BOOST_AUTO_TEST_CASE(what_did_not_reach_the_kernel_was_not_written)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request first(multiplexer, code("001"));
    const waiting_request second(multiplexer, code("002"));
    const waiting_request third(multiplexer, code("003"));
    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "001\n002\n003\n");
    const waiting_request fourth(multiplexer, code("004"));

    multiplexer.put_back(connection.lane, 8);

    BOOST_TEST(first.written());
    BOOST_TEST(!second.written());
    BOOST_TEST(!third.written());
    BOOST_TEST(connection.lane.on_the_wire() == 1U);
    BOOST_TEST(take(multiplexer, connection) == "002\n003\n004\n");
}

BOOST_AUTO_TEST_CASE(a_message_was_written_when_any_of_its_bytes_reached_the_kernel)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request first(multiplexer, code("001"));
    const waiting_request second(multiplexer, code("002"));
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    for (const std::size_t bytes : {0U, 1U, 3U}) {
        multiplexer.put_back(connection.lane, bytes);
        BOOST_TEST(second.written());
    }

    multiplexer.put_back(connection.lane, 7);

    BOOST_TEST(first.written());
    BOOST_TEST(!second.written());
}

BOOST_AUTO_TEST_CASE(what_was_taken_before_the_last_time_is_not_put_back)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request first(multiplexer, code("001"));
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    const waiting_request second(multiplexer, code("002"));
    take(multiplexer, connection);

    multiplexer.put_back(connection.lane, 100); // with a heartbeat that the connection was to write first

    BOOST_TEST(first.written());
    BOOST_TEST(!second.written());
    take(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection) == "");
    multiplexer.put_back(connection.lane, 100); // the heartbeat alone
    BOOST_TEST(second.written());
}

BOOST_AUTO_TEST_CASE(what_has_left_meanwhile_has_its_part_of_what_did_not_reach_the_kernel)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request first(multiplexer, code("001"));
    std::optional<waiting_request> second(std::in_place, multiplexer, code("002"));
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    second.reset();

    multiplexer.put_back(connection.lane, 4);

    BOOST_TEST(first.written());
    BOOST_TEST(take(multiplexer, connection) == "");
}

BOOST_AUTO_TEST_CASE(what_is_put_back_stays_written_if_another_connection_had_written_it)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request request(multiplexer, code("001"));
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    close(multiplexer, connection);
    multiplexer.open(connection.lane);
    take(multiplexer, connection);

    multiplexer.put_back(connection.lane, 4);

    BOOST_TEST(request.written());
}

BOOST_AUTO_TEST_CASE(a_question_that_is_not_repeatable_outlives_a_connection_that_did_not_get_it)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection connection;
    open_and_speak(multiplexer, connection);
    listener listener(multiplexer, order("buy"));
    take(multiplexer, connection);
    multiplexer.put_back(connection.lane, 4);

    BOOST_TEST(close(multiplexer, connection, start) == 0U);

    BOOST_TEST(listener.waits());
    BOOST_TEST(!multiplexer.has_lost());
    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "buy\n");
}

BOOST_AUTO_TEST_CASE(a_written_question_that_is_not_repeatable_fails_with_its_connection)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    listener written(multiplexer, order("buy"));
    take(multiplexer, one);
    listener unwritten(multiplexer, order("sell"));
    multiplexer.open(other.lane);

    BOOST_TEST(close(multiplexer, one) == 0U);

    BOOST_TEST(written.error() == asio::error::connection_aborted);
    BOOST_TEST(unwritten.waits());
    BOOST_TEST(take(multiplexer, other) == "sell\n");
}

BOOST_AUTO_TEST_CASE(a_key_is_waited_for_as_long_as_its_request_is_there)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    const auto question = order("buy");
    std::optional<waiting_request> request(std::in_place, multiplexer, question);

    BOOST_TEST(multiplexer.is_waited_for(question.key));
    request.reset();
    BOOST_TEST(!multiplexer.is_waited_for(question.key));
}

BOOST_AUTO_TEST_CASE(a_message_for_a_key_of_its_own_goes_to_the_request_on_that_connection)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection connection;
    multiplexer.open(connection.lane);
    listener listener(multiplexer, order("buy"));
    take(multiplexer, connection);

    BOOST_TEST(multiplexer.deliver(connection.lane, upstream::key("buy"), "bought"));

    BOOST_TEST(listener.reply() == "bought");
    BOOST_TEST(connection.lane.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_for_a_key_of_its_own_is_dropped_while_the_request_is_not_written)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection connection;
    listener listener(multiplexer, order("buy"));

    BOOST_TEST(!multiplexer.deliver(connection.lane, upstream::key("buy"), "to nobody: it is in the backlog"));
    multiplexer.open(connection.lane);
    BOOST_TEST(!multiplexer.deliver(connection.lane, upstream::key("buy"), "to nobody: it is in the outbox"));

    BOOST_TEST(listener.waits());
    BOOST_TEST(take(multiplexer, connection) == "buy\n");
}

BOOST_AUTO_TEST_CASE(a_message_for_a_key_of_its_own_is_dropped_on_any_other_connection)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    listener listener(multiplexer, order("buy"));
    take(multiplexer, one);
    multiplexer.open(other.lane);

    BOOST_TEST(!multiplexer.deliver(other.lane, upstream::key("buy"), "not asked here"));

    BOOST_TEST(listener.waits());
    BOOST_TEST(one.lane.on_the_wire() == 1U);
}

BOOST_AUTO_TEST_CASE(a_repeated_message_for_a_key_of_its_own_is_dropped)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::own);
    connection connection;
    multiplexer.open(connection.lane);
    listener listener(multiplexer, order("buy"));
    take(multiplexer, connection);
    multiplexer.deliver(connection.lane, upstream::key("buy"), "bought");

    BOOST_TEST(!multiplexer.deliver(connection.lane, upstream::key("buy"), "bought again"));

    BOOST_TEST(listener.reply() == "bought");
}

BOOST_AUTO_TEST_CASE(a_request_that_has_left_waits_nowhere)
{
    upstream::multiplexer multiplexer(executor, 2);
    {
        const waiting_request request(multiplexer, code("AAA"));
    }
    BOOST_TEST(multiplexer.waiting().all() == 0U);
}

BOOST_AUTO_TEST_CASE(it_knows_where_requests_wait)
{
    upstream::multiplexer multiplexer(executor, 2);
    connection connection;
    waiting_request written(multiplexer, code("AAA"));
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    waiting_request unwritten(multiplexer, code("BBB"));
    waiting_request third(multiplexer, code("CCC"));
    waiting_request last(multiplexer, code("DDD"));

    const auto waiting = multiplexer.waiting();
    BOOST_TEST(waiting.wire == 1U);
    BOOST_TEST(waiting.outbox == 1U);
    BOOST_TEST(waiting.backlog == 2U);
    BOOST_TEST(waiting.suspects == 0U);
    BOOST_TEST(waiting.shared == 0U);
    BOOST_TEST(waiting.all() == 4U);

    close(multiplexer, connection, start);
    BOOST_TEST(multiplexer.waiting().backlog == 4U);
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    close(multiplexer, connection, start); // at once after the first was written for the second time
    BOOST_TEST(multiplexer.waiting().suspects == 1U);
    BOOST_TEST(multiplexer.waiting().backlog == 3U);
    BOOST_TEST(multiplexer.waiting().all() == 4U);
}

BOOST_AUTO_TEST_CASE(a_request_that_relies_on_anothers_message_waits_in_no_queue_and_counts)
{
    upstream::multiplexer multiplexer(executor, 2, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    waiting_request asks(multiplexer, code("AAA"));
    waiting_request relies(multiplexer, code("AAA"));
    BOOST_TEST(multiplexer.waiting().outbox == 1U);
    BOOST_TEST(multiplexer.waiting().shared == 1U);
    BOOST_TEST(multiplexer.waiting().all() == 2U);
}

BOOST_AUTO_TEST_CASE(coalesced_requests_for_one_code_are_one_message_and_take_one_place)
{
    upstream::multiplexer multiplexer(executor, 2, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request first(multiplexer, code("100"));
    const waiting_request second(multiplexer, code("100"));
    const waiting_request other(multiplexer, code("101"));

    BOOST_TEST(take(multiplexer, connection) == "100\n101\n");
    const waiting_request third(multiplexer, code("100"));
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(connection.lane.waiting() == 2U);
    BOOST_TEST(multiplexer.backlog() == 0U);
}

BOOST_AUTO_TEST_CASE(of_coalesced_requests_the_next_is_written_when_the_one_before_leaves_without_a_reply)
{
    upstream::multiplexer multiplexer(executor, 1, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("100"));
    std::optional<waiting_request> second(std::in_place, multiplexer, code("100"));
    std::optional<waiting_request> third(std::in_place, multiplexer, code("100"));
    BOOST_TEST(take(multiplexer, connection) == "100\n");

    second.reset(); // no request relied on this one
    BOOST_TEST(take(multiplexer, connection) == "");
    first.reset();
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    third.reset();
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(multiplexer.keys() == 0U);
}

BOOST_AUTO_TEST_CASE(whichever_follows_a_coalesced_suspect_is_a_suspect_too)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::coalesced);
    connection connection;
    std::optional<waiting_request> first(std::in_place, multiplexer, code("666"));
    listener second(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    try_and_lose(multiplexer, connection);
    try_and_lose(multiplexer, connection);

    first.reset();

    open_and_speak(multiplexer, connection);
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
    close(multiplexer, connection, start);
    BOOST_TEST(second.error() == asio::error::connection_aborted);
}

BOOST_AUTO_TEST_CASE(whichever_follows_a_coalesced_suspect_that_was_being_tried_is_tried_too)
{
    upstream::multiplexer multiplexer(executor, 8, upstream::key_use::coalesced);
    connection connection;
    std::optional<waiting_request> first(std::in_place, multiplexer, code("666"));
    const waiting_request second(multiplexer, code("666"));
    make_suspects(multiplexer, connection);
    open_and_speak(multiplexer, connection);
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");

    first.reset();

    BOOST_TEST(take(multiplexer, connection) == "", "it is to be alone");
    BOOST_TEST(take_suspects(multiplexer, connection) == "666\n");
}

BOOST_AUTO_TEST_CASE(coalesced_requests_are_written_again_once_when_the_connection_is_lost)
{
    upstream::multiplexer multiplexer(executor, 5, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request first(multiplexer, code("100"));
    const waiting_request second(multiplexer, code("100"));
    take(multiplexer, connection);

    BOOST_TEST(close(multiplexer, connection) == 1U);
    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
}

BOOST_AUTO_TEST_CASE(a_request_after_the_reply_to_all_begins_another_question)
{
    upstream::multiplexer multiplexer(executor, 1, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("100"));
    std::optional<waiting_request> second(std::in_place, multiplexer, code("100"));
    const waiting_request other(multiplexer, code("101")); // the window has no place for it
    BOOST_TEST(take(multiplexer, connection) == "100\n");

    multiplexer.deliver(connection.lane, code("100").key, "a reply to all");
    BOOST_TEST(multiplexer.keys() == 1U);
    BOOST_TEST(take(multiplexer, connection) == "101\n");
    const waiting_request later(multiplexer, code("100"));
    first.reset();
    second.reset();
    BOOST_TEST(multiplexer.backlog() == 1U); // `later`, and none on behalf of the requests that have their reply
    BOOST_TEST(multiplexer.keys() == 2U);
}

BOOST_AUTO_TEST_CASE(a_request_that_has_the_reply_to_all_takes_no_other_off_the_wire)
{
    upstream::multiplexer multiplexer(executor, 1, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    waiting_request first(multiplexer, code("100"));
    take(multiplexer, connection);
    multiplexer.deliver(connection.lane, code("100").key, "a reply to all");
    const waiting_request second(multiplexer, code("100"));
    BOOST_TEST(take(multiplexer, connection) == "100\n");

    first.take_reply();
    BOOST_TEST(connection.lane.on_the_wire() == 1U);
    BOOST_TEST(close(multiplexer, connection) == 1U);
}

BOOST_AUTO_TEST_CASE(a_request_that_follows_one_that_was_not_written_takes_its_place_in_the_queue)
{
    upstream::multiplexer multiplexer(executor, 1, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    std::optional<waiting_request> other(std::in_place, multiplexer, code("101"));
    std::optional<waiting_request> first(std::in_place, multiplexer, code("100"));
    const waiting_request second(multiplexer, code("100"));
    const waiting_request later(multiplexer, code("102"));
    take(multiplexer, connection);

    first.reset();
    other.reset();
    BOOST_TEST(take(multiplexer, connection) == "100\n");
}

BOOST_AUTO_TEST_CASE(a_question_may_be_answered_before_it_is_asked)
{
    upstream::multiplexer multiplexer(executor, 1, upstream::key_use::coalesced);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request request(multiplexer, code("100"));

    multiplexer.deliver(connection.lane, code("100").key, "a reply to all");
    multiplexer.deliver(connection.lane, code("101").key, "a reply to all"); // no request asked
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(connection.lane.waiting() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
