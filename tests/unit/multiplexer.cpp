#include "upstream/multiplexer.hpp"
#include "protocols/codes/protocol.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

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

causeway::asio::io_context io; // nothing runs on it
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

// What a connection's writer would write now.
std::string take(upstream::multiplexer& multiplexer, connection& connection)
{
    std::string wire;
    multiplexer.take(connection.lane, wire);
    return wire;
}

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

// What the multiplexer promises, said in the plainest way: queues of codes. Each code is asked once.
class model {
public:
    struct queues {
        bool open = false;
        int wakes = 0;
        std::deque<std::string> outbox;
        std::deque<std::string> written;

        std::size_t waiting() const { return outbox.size() + written.size(); }
    };

    explicit model(std::size_t window)
        : window_(window)
    {
    }

    void enter(const std::string& code)
    {
        backlog_.push_back(code);
        deal();
    }

    void leave(const std::string& code)
    {
        std::erase(backlog_, code);
        for (auto& lane : lanes_) {
            std::erase(lane.outbox, code);
            std::erase(lane.written, code);
        }
        deal();
    }

    void open(std::size_t index)
    {
        lanes_[index].open = true;
        opened_.push_back(index);
        deal();
    }

    std::size_t close(std::size_t index)
    {
        auto& lane = lanes_[index];
        const auto written = lane.written.size();
        lane.open = false;
        std::erase(opened_, index);
        backlog_.insert(backlog_.begin(), lane.outbox.begin(), lane.outbox.end());
        backlog_.insert(backlog_.begin(), lane.written.begin(), lane.written.end());
        lane.outbox.clear();
        lane.written.clear();
        deal();
        return written;
    }

    std::string take(std::size_t index)
    {
        auto& lane = lanes_[index];
        std::string wire;
        for (const auto& code : lane.outbox) {
            wire += code + '\n';
            lane.written.push_back(code);
        }
        lane.outbox.clear();
        return wire;
    }

    const queues& at(std::size_t index) const { return lanes_[index]; }
    std::size_t backlog() const { return backlog_.size(); }
    bool connected() const { return !opened_.empty(); }

private:
    // Of two lanes with equally many, the one that has been open longer.
    void deal()
    {
        while (!backlog_.empty() && connected()) {
            auto& lane = lanes_[*std::ranges::min_element(opened_, {}, [&](auto i) { return lanes_[i].waiting(); })];
            if (lane.waiting() == window_)
                return;
            if (lane.outbox.empty())
                ++lane.wakes;
            lane.outbox.push_back(backlog_.front());
            backlog_.pop_front();
        }
    }

    std::size_t window_;
    std::array<queues, 3> lanes_;
    std::vector<std::size_t> opened_;
    std::deque<std::string> backlog_;
};

// The multiplexer and the model side by side. Every event happens to both, then both must look the same.
class random_story {
public:
    random_story(unsigned seed, std::size_t window)
        : random_(seed)
        , multiplexer_(executor, window)
        , model_(window)
        , window_(window)
    {
    }

    void go_on()
    {
        const auto index = below(connections_.size());
        switch (below(8)) {
        case 0:
        case 1:
        case 2:
            return enter();
        case 3:
        case 4:
            return leave();
        case 5:
        case 6:
            return take(index);
        default:
            return model_.at(index).open ? close(index) : open(index);
        }
    }

    void end()
    {
        while (!requests_.empty())
            leave();
        check();
        BOOST_TEST(multiplexer_.backlog() == 0U);
        for (auto& connection : connections_)
            BOOST_TEST(connection.lane.waiting() == 0U);
    }

    void check() const
    {
        BOOST_TEST(multiplexer_.backlog() == model_.backlog());
        BOOST_TEST(multiplexer_.connected() == model_.connected());
        for (std::size_t index = 0; index < connections_.size(); ++index) {
            BOOST_TEST(connections_[index].lane.waiting() == model_.at(index).waiting());
            BOOST_TEST(connections_[index].lane.waiting() <= window_);
            BOOST_TEST(connections_[index].wakes == model_.at(index).wakes);
        }
    }

private:
    struct entry {
        std::string code;
        std::unique_ptr<waiting_request> request;
    };

    std::size_t below(std::size_t bound) { return random_() % bound; }

    void enter()
    {
        const auto text = std::to_string(1000 + next_++ % 1000).substr(1);
        requests_.push_back({text, std::make_unique<waiting_request>(multiplexer_, code(text))});
        model_.enter(text);
    }

    void leave()
    {
        if (requests_.empty())
            return;
        const auto leaving = requests_.begin() + static_cast<std::ptrdiff_t>(below(requests_.size()));
        model_.leave(leaving->code);
        requests_.erase(leaving);
    }

    void take(std::size_t index) { BOOST_TEST(::take(multiplexer_, connections_[index]) == model_.take(index)); }

    void open(std::size_t index)
    {
        model_.open(index);
        multiplexer_.open(connections_[index].lane);
    }

    void close(std::size_t index) { BOOST_TEST(multiplexer_.close(connections_[index].lane) == model_.close(index)); }

    std::mt19937 random_;
    upstream::multiplexer multiplexer_;
    std::array<connection, 3> connections_;
    model model_;
    std::size_t window_;
    std::size_t next_ = 0;
    std::vector<entry> requests_;
};

// Requests for a few codes, coalesced: whatever happens, there is one question for each code that somebody waits for.
class coalesced_story {
public:
    coalesced_story(unsigned seed, std::size_t window)
        : random_(seed)
        , multiplexer_(executor, window, true)
        , window_(window)
    {
    }

    void go_on()
    {
        const auto index = below(connections_.size());
        switch (below(8)) {
        case 0:
        case 1:
        case 2:
            return enter();
        case 3:
        case 4:
            return leave(below(requests_.size() + 1));
        case 5:
            return take(index);
        case 6:
            return answer(random_code());
        default:
            return open_[index] ? close(index) : open(index);
        }
    }

    void end()
    {
        while (!requests_.empty())
            leave(0);
        check();
    }

    void check() const
    {
        std::set<std::string> waited_for;
        for (const auto& request : requests_)
            if (!request.answered)
                waited_for.insert(request.code);
        std::size_t asked = multiplexer_.backlog();
        for (const auto& connection : connections_) {
            BOOST_TEST(connection.lane.waiting() <= window_);
            asked += connection.lane.waiting();
        }
        BOOST_TEST(multiplexer_.keys() == waited_for.size());
        BOOST_TEST(asked == waited_for.size());
    }

private:
    struct entry {
        std::string code;
        std::unique_ptr<waiting_request> request;
        bool answered = false;
    };

    std::size_t below(std::size_t bound) { return random_() % bound; }
    std::string random_code() { return std::to_string(100 + below(5)); }

    void enter()
    {
        const auto text = random_code();
        requests_.push_back({text, std::make_unique<waiting_request>(multiplexer_, code(text))});
    }

    void leave(std::size_t index)
    {
        if (index < requests_.size())
            requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    // What is written is waited for, and no other connection owes a reply to it.
    void take(std::size_t index)
    {
        const auto wire = ::take(multiplexer_, connections_[index]);
        for (std::size_t at = 0; at < wire.size(); at += 4) {
            const auto text = wire.substr(at, 3);
            BOOST_TEST(wire.find(text, at + 4) == wire.npos);
            BOOST_TEST(std::ranges::any_of(
                requests_, [&](const entry& request) { return request.code == text && !request.answered; }));
        }
        BOOST_TEST(connections_[index].lane.on_the_wire() == connections_[index].lane.waiting());
    }

    void answer(const std::string& text)
    {
        multiplexer_.deliver(connections_[0].lane, code(text).key, "a reply to all");
        for (auto& request : requests_)
            request.answered |= request.code == text;
    }

    void open(std::size_t index)
    {
        open_[index] = true;
        multiplexer_.open(connections_[index].lane);
    }

    void close(std::size_t index)
    {
        open_[index] = false;
        const auto written = connections_[index].lane.on_the_wire();
        BOOST_TEST(multiplexer_.close(connections_[index].lane) == written);
        BOOST_TEST(connections_[index].lane.waiting() == 0U);
    }

    std::mt19937 random_;
    upstream::multiplexer multiplexer_;
    std::array<connection, 2> connections_;
    std::array<bool, 2> open_{};
    std::size_t window_;
    std::vector<entry> requests_;
};

// A story of some events from each of many seeds.
template <class Story>
void tell_many()
{
    for (const std::size_t window : {1U, 2U, 5U})
        for (unsigned seed = 0; seed < 50; ++seed) {
            Story story(seed, window);
            for (int event = 0; event < 200; ++event) {
                BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", event " << event)
                {
                    story.go_on();
                    story.check();
                }
            }
            BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", at the end") { story.end(); }
        }
}

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

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_a_simple_model_and_leaves_nothing)
{
    tell_many<random_story>();
}

BOOST_AUTO_TEST_CASE(in_any_order_of_events_coalesced_requests_are_one_question_for_each_code)
{
    tell_many<coalesced_story>();
}

BOOST_AUTO_TEST_SUITE_END()
