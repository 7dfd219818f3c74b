#include "upstream/multiplexer.hpp"
#include "protocols/codes/protocol.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <initializer_list>
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

// What a connection's writer would write now.
std::string take(upstream::multiplexer& multiplexer, connection& connection)
{
    std::string wire;
    multiplexer.take(connection.lane, wire);
    return wire;
}

// A connection comes, takes what there is for it, and is lost.
void lose_with_all_it_takes(upstream::multiplexer& multiplexer, connection& connection)
{
    multiplexer.open(connection.lane);
    take(multiplexer, connection);
    multiplexer.close(connection.lane);
}

// A coroutine that asks and hears the outcome.
class listener {
public:
    listener(upstream::multiplexer& multiplexer, upstream::question question)
        : question_(std::move(question))
        , request_(multiplexer, question_)
    {
        request_.receive(deadline_)(
            asio::bind_executor(executor, [this](std::tuple<causeway::error_code, std::string> received) {
                outcome_ = std::move(received);
            }));
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

// The coroutines that ask, in the order of their asking.
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

    // Whoever asked for `text` got a reply, or none in time.
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

    BOOST_TEST(!multiplexer.connected());
    BOOST_TEST(multiplexer.backlog() == 3U);
    askers.leave("002");
    BOOST_TEST(multiplexer.backlog() == 2U);
}

BOOST_AUTO_TEST_CASE(it_is_connected_while_any_lane_is_open)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    BOOST_TEST(!multiplexer.connected());

    multiplexer.open(one.lane);
    BOOST_TEST(multiplexer.connected());
    multiplexer.open(other.lane);
    multiplexer.close(one.lane);
    BOOST_TEST(multiplexer.connected());
    multiplexer.close(other.lane);
    BOOST_TEST(!multiplexer.connected());
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

    multiplexer.take(connection.lane, wire);

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

    BOOST_TEST(multiplexer.close(connection.lane) == 2U);
    BOOST_TEST(connection.lane.waiting() == 0U);
    BOOST_TEST(multiplexer.backlog() == 5U);

    multiplexer.open(connection.lane);
    BOOST_TEST(multiplexer.close(connection.lane) == 0U);
}

BOOST_AUTO_TEST_CASE(a_new_connection_writes_again_what_the_lost_one_had_written)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);

    multiplexer.close(connection.lane);
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

    BOOST_TEST(multiplexer.close(connection.lane) == 2U);
    askers.ask("007");
    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "001\n002\n003\n004\n");
    for (const auto code : {"001", "002", "003"})
        askers.leave(code);
    BOOST_TEST(take(multiplexer, connection) == "005\n006\n007\n");
}

BOOST_AUTO_TEST_CASE(who_leaves_while_there_is_no_connection_is_not_written_again)
{
    upstream::multiplexer multiplexer(executor, 10);
    connection connection;
    askers askers(multiplexer);
    multiplexer.open(connection.lane);
    askers.ask_all({"001", "002"});
    take(multiplexer, connection);
    askers.ask_all({"003", "004"});
    multiplexer.close(connection.lane);

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

    BOOST_TEST(multiplexer.close(one.lane) == 2U);

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

    BOOST_TEST(multiplexer.close(one.lane) == 2U);

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

    BOOST_TEST(multiplexer.close(one.lane) == 1U);

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

    multiplexer.close(one.lane);

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
    multiplexer.close(connection.lane);
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

    multiplexer.close(one.lane);
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
    BOOST_TEST(multiplexer.close(one.lane) == 1U);
    BOOST_TEST(take(multiplexer, other) == "404\n");
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

BOOST_AUTO_TEST_CASE(a_request_that_changes_places_has_the_losses_of_its_new_place)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("404"));
    take(multiplexer, one);
    const waiting_request suspect(multiplexer, code("404"));
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, other);
    multiplexer.open(other.lane);
    multiplexer.works(other.lane, true);
    BOOST_TEST(take(multiplexer, other) == "404\n");

    multiplexer.deliver(other.lane, code("404").key, "the reply that was meant for the suspect");
    first->take_reply();
    first.reset();

    BOOST_TEST(multiplexer.close(one.lane) == 1U, "the message on this one was never lost before");
    BOOST_TEST(take(multiplexer, other) == "404\n");
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_trusted_is_asked_only_whether_it_works)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.open(doubtful.lane);
    askers.ask("100");
    take(multiplexer, doubtful);
    multiplexer.distrust(doubtful.lane);
    multiplexer.close(doubtful.lane);
    multiplexer.open(good.lane);
    multiplexer.open(doubtful.lane);

    askers.ask_all({"101", "102"});
    BOOST_TEST(doubtful.lane.doubtful());
    BOOST_TEST(doubtful.lane.last_repeatable()->text() == "100"); // nobody waits for that there
    BOOST_TEST(take(multiplexer, doubtful) == "");
    BOOST_TEST(doubtful.lane.waiting() == 0U);
    BOOST_TEST(take(multiplexer, good) == "100\n101\n102\n");

    multiplexer.works(doubtful.lane, true);
    askers.ask("103");
    BOOST_TEST(take(multiplexer, doubtful) == "103\n");
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_not_trusted_gets_everything_when_there_is_no_other)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane);

    askers.ask_all({"100", "101"});

    BOOST_TEST(take(multiplexer, doubtful) == "100\n101\n");
}

BOOST_AUTO_TEST_CASE(when_the_last_trusted_connection_falls_silent_any_other_takes_the_backlog)
{
    upstream::multiplexer multiplexer(executor, 1);
    connection doubtful;
    connection good;
    askers askers(multiplexer);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(doubtful.lane);
    multiplexer.open(good.lane);
    askers.ask_all({"100", "101"});
    BOOST_TEST(take(multiplexer, good) == "100\n");
    BOOST_TEST(take(multiplexer, doubtful) == "");

    multiplexer.distrust(good.lane);

    BOOST_TEST(take(multiplexer, doubtful) == "101\n");
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
    multiplexer.close(connection.lane);
    BOOST_TEST(request.written());
}

BOOST_AUTO_TEST_CASE(a_restart_of_the_upstream_or_even_two_cost_a_request_nothing)
{
    for (const int restarts : {1, 2}) {
        upstream::multiplexer multiplexer(executor, 8);
        connection connection;
        listener listener(multiplexer, code("100"));
        for (int restart = 0; restart < restarts; ++restart)
            lose_with_all_it_takes(multiplexer, connection);

        multiplexer.open(connection.lane);
        multiplexer.works(connection.lane, false);
        BOOST_TEST(take(multiplexer, connection) == "100\n");
        multiplexer.deliver(connection.lane, code("100").key, "the reply");
        BOOST_TEST(listener.reply() == "the reply");
    }
}

BOOST_AUTO_TEST_CASE(with_the_third_lost_connection_all_fail_who_wait_for_the_key)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    listener poison(multiplexer, code("666"));
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, connection);
    listener same_code(multiplexer, code("666"));
    listener other_code(multiplexer, code("100"));
    multiplexer.open(connection.lane);
    multiplexer.works(connection.lane, false);
    BOOST_TEST(take(multiplexer, connection) == "666\n100\n666\n");

    BOOST_TEST(multiplexer.close(connection.lane) == 1U);

    BOOST_TEST(poison.error() == asio::error::connection_aborted);
    BOOST_TEST(same_code.error() == asio::error::connection_aborted);
    BOOST_TEST(other_code.waits());
    BOOST_TEST(multiplexer.backlog() == 1U);
    BOOST_TEST(multiplexer.keys() == 1U);
}

BOOST_AUTO_TEST_CASE(a_suspect_waits_for_a_connection_that_works_and_holds_up_nobody)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    askers askers(multiplexer);
    askers.ask("666");
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, connection);
    askers.ask("100");

    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    BOOST_TEST(multiplexer.backlog() == 1U);

    multiplexer.works(connection.lane, false);
    BOOST_TEST(take(multiplexer, connection) == "666\n");
    BOOST_TEST(multiplexer.backlog() == 0U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_worked_has_to_show_it_again_when_it_is_a_new_one)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const waiting_request suspect(multiplexer, code("666"));
    lose_with_all_it_takes(multiplexer, connection);
    multiplexer.open(connection.lane);
    multiplexer.works(connection.lane, true);
    take(multiplexer, connection);
    multiplexer.close(connection.lane);

    multiplexer.open(connection.lane);

    BOOST_TEST(take(multiplexer, connection) == "");
}

BOOST_AUTO_TEST_CASE(a_connection_has_one_suspect_at_a_time)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    askers askers(multiplexer);
    askers.ask_all({"666", "667", "668"});
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, one);
    multiplexer.open(one.lane);
    multiplexer.open(other.lane);
    multiplexer.works(one.lane, false);
    BOOST_TEST(take(multiplexer, one) == "666\n");

    multiplexer.works(one.lane, true);
    BOOST_TEST(take(multiplexer, one) == "", "another suspect was dealt beside a written one");
    multiplexer.works(other.lane, true);
    askers.ask("100");
    BOOST_TEST(take(multiplexer, other) == "667\n");
    BOOST_TEST(take(multiplexer, one) == "100\n");

    askers.leave("666");
    BOOST_TEST(take(multiplexer, one) == "668\n");
}

BOOST_AUTO_TEST_CASE(a_suspect_waits_for_a_connection_that_is_trusted)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection doubtful;
    connection good;
    const waiting_request suspect(multiplexer, code("666"));
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, good);
    multiplexer.distrust(doubtful.lane);
    multiplexer.open(good.lane);
    multiplexer.open(doubtful.lane);

    multiplexer.works(doubtful.lane, false); // it has lasted, in silence
    BOOST_TEST(take(multiplexer, doubtful) == "");
    multiplexer.works(good.lane, false);
    BOOST_TEST(take(multiplexer, good) == "666\n");
}

BOOST_AUTO_TEST_CASE(a_written_question_that_is_not_repeatable_fails_with_its_connection)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection one;
    connection other;
    multiplexer.open(one.lane);
    listener written(multiplexer, order("buy"));
    take(multiplexer, one);
    listener unwritten(multiplexer, order("sell"));
    multiplexer.open(other.lane);

    BOOST_TEST(multiplexer.close(one.lane) == 0U);

    BOOST_TEST(written.error() == asio::error::connection_aborted);
    BOOST_TEST(unwritten.waits());
    BOOST_TEST(take(multiplexer, other) == "sell\n");
}

BOOST_AUTO_TEST_CASE(a_key_is_taken_while_a_request_waits_for_it)
{
    upstream::multiplexer multiplexer(executor, 8);
    const auto question = order("buy");
    const causeway::clock::time_point now;
    std::optional<waiting_request> request(std::in_place, multiplexer, question);

    BOOST_TEST(multiplexer.is_taken(question.key, now));
    request.reset();
    BOOST_TEST(!multiplexer.is_taken(question.key, now));
}

BOOST_AUTO_TEST_CASE(a_late_reply_frees_the_key_that_was_kept_for_it)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const auto key = order("buy").key;
    const causeway::clock::time_point now;
    multiplexer.expect_late_reply(key, now + 1s);
    BOOST_TEST(multiplexer.is_taken(key, now));

    BOOST_TEST(!multiplexer.deliver(connection.lane, key, "a late reply"));

    BOOST_TEST(!multiplexer.is_taken(key, now));
}

BOOST_AUTO_TEST_CASE(a_key_whose_late_reply_never_comes_is_taken_until_it_cannot_come_any_more)
{
    upstream::multiplexer multiplexer(executor, 8);
    connection connection;
    const auto key = order("buy").key;
    const causeway::clock::time_point now;
    multiplexer.expect_late_reply(key, now + 1s);
    multiplexer.deliver(connection.lane, key, "a late reply");
    multiplexer.expect_late_reply(key, now + 2s); // of another request that gave up since

    BOOST_TEST(multiplexer.is_taken(key, now + 1s));
    BOOST_TEST(multiplexer.is_taken(key, now + 2s - 1ns));
    BOOST_TEST(!multiplexer.is_taken(key, now + 2s));
}

BOOST_AUTO_TEST_CASE(coalesced_requests_for_one_code_are_one_message_and_take_one_place)
{
    upstream::multiplexer multiplexer(executor, 2, true);
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

BOOST_AUTO_TEST_CASE(who_coalesces_is_asked_for_when_the_one_before_leaves_without_a_reply)
{
    upstream::multiplexer multiplexer(executor, 1, true);
    connection connection;
    multiplexer.open(connection.lane);
    std::optional<waiting_request> first(std::in_place, multiplexer, code("100"));
    std::optional<waiting_request> second(std::in_place, multiplexer, code("100"));
    std::optional<waiting_request> third(std::in_place, multiplexer, code("100"));
    BOOST_TEST(take(multiplexer, connection) == "100\n");

    second.reset(); // nobody relied on this one
    BOOST_TEST(take(multiplexer, connection) == "");
    first.reset();
    BOOST_TEST(take(multiplexer, connection) == "100\n");
    third.reset();
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(multiplexer.keys() == 0U);
}

BOOST_AUTO_TEST_CASE(whichever_follows_a_coalesced_suspect_is_a_suspect_too)
{
    upstream::multiplexer multiplexer(executor, 8, true);
    connection connection;
    std::optional<waiting_request> first(std::in_place, multiplexer, code("666"));
    listener second(multiplexer, code("666"));
    for (int loss = 0; loss < 2; ++loss)
        lose_with_all_it_takes(multiplexer, connection);

    first.reset();

    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "");
    multiplexer.works(connection.lane, true);
    BOOST_TEST(take(multiplexer, connection) == "666\n");
    multiplexer.close(connection.lane);
    BOOST_TEST(second.error() == asio::error::connection_aborted);
}

BOOST_AUTO_TEST_CASE(who_coalesces_is_written_again_once_when_the_connection_is_lost)
{
    upstream::multiplexer multiplexer(executor, 5, true);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request first(multiplexer, code("100"));
    const waiting_request second(multiplexer, code("100"));
    take(multiplexer, connection);

    BOOST_TEST(multiplexer.close(connection.lane) == 1U);
    multiplexer.open(connection.lane);
    BOOST_TEST(take(multiplexer, connection) == "100\n");
}

BOOST_AUTO_TEST_CASE(who_asks_after_the_reply_to_all_begins_another_question)
{
    upstream::multiplexer multiplexer(executor, 1, true);
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
    BOOST_TEST(multiplexer.backlog() == 1U); // `later`, and nobody in the name of those who have their reply
    BOOST_TEST(multiplexer.keys() == 2U);
}

BOOST_AUTO_TEST_CASE(who_has_the_reply_to_all_takes_nobody_off_the_wire)
{
    upstream::multiplexer multiplexer(executor, 1, true);
    connection connection;
    multiplexer.open(connection.lane);
    waiting_request first(multiplexer, code("100"));
    take(multiplexer, connection);
    multiplexer.deliver(connection.lane, code("100").key, "a reply to all");
    const waiting_request second(multiplexer, code("100"));
    BOOST_TEST(take(multiplexer, connection) == "100\n");

    first.take_reply();
    BOOST_TEST(connection.lane.on_the_wire() == 1U);
    BOOST_TEST(multiplexer.close(connection.lane) == 1U);
}

BOOST_AUTO_TEST_CASE(who_follows_one_that_was_not_written_takes_its_place_in_the_queue)
{
    upstream::multiplexer multiplexer(executor, 1, true);
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
    upstream::multiplexer multiplexer(executor, 1, true);
    connection connection;
    multiplexer.open(connection.lane);
    const waiting_request request(multiplexer, code("100"));

    multiplexer.deliver(connection.lane, code("100").key, "a reply to all");
    multiplexer.deliver(connection.lane, code("101").key, "a reply to all"); // nobody asked
    BOOST_TEST(take(multiplexer, connection) == "");
    BOOST_TEST(connection.lane.waiting() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
