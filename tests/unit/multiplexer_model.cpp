// The multiplexer beside a model of it: the same random events happen to both, and then both must look the same.
#include "upstream/multiplexer.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace asio = causeway::asio;
namespace upstream = causeway::upstream;
using causeway::error_code;

constexpr std::size_t number_of_lanes = 3;
constexpr unsigned most_losses = 3; // with the last of them a request fails; from the one before, it is a suspect

// Many requests share each of the first keys. A key of the others belongs to one request, which is not repeatable.
const std::array<std::string, 3> shared_keys{"a", "b", "c"};
const std::array<std::string, 4> own_keys{"p", "q", "r", "s"};

std::string bytes_for(const std::string& key) { return key + ' '; }
bool is_repeatable(const std::string& key) { return std::ranges::count(shared_keys, key) != 0; }

// The multiplexer's promises, said in the plainest way. Requests have numbers, a higher one for each that comes.
using numbers = std::vector<int>; // of requests, in their order

struct request {
    int number;
    std::string key;
    unsigned losses = 0;
    bool written = false;
    std::string told; // a reply or an error, on its way to whoever asked
};

struct lane {
    numbers outbox;
    numbers wire;
    bool open = false;
    bool works = false;
    bool trusted = true;
    int wakes = 0;
    std::string last_repeatable;

    std::size_t waiting() const { return outbox.size() + wire.size(); }
};

class model {
public:
    model(std::size_t window, bool coalesces)
        : window_(window)
        , coalesces_(coalesces)
    {
    }

    void enter(int number, const std::string& key)
    {
        const bool relies_on_another = coalesces_ && longest_waiting(key) != nullptr;
        requests_.push_back({.number = number, .key = key, .told = {}});
        if (!relies_on_another)
            backlog_.push_back(number);
        deal();
    }

    void leave(int number)
    {
        const auto leaving = at(number);
        auto* const queue = queue_of(number);
        std::erase_if(requests_, [&](const request& request) { return request.number == number; });
        auto* const next = longest_waiting(leaving.key);
        if (coalesces_ && queue != nullptr && next != nullptr) {
            next->losses = leaving.losses;
            if (!is_a_wire(queue))
                std::ranges::replace(*queue, number, next->number);
            else if (is_suspect(next->number))
                suspects_.insert(suspects_.begin(), next->number);
            else
                backlog_.insert(backlog_.begin(), next->number);
        }
        leave_queues(number);
        deal();
    }

    void open(std::size_t index)
    {
        lanes_[index].open = true;
        lanes_[index].works = false;
        opened_.push_back(index);
        deal();
    }

    std::size_t close(std::size_t index)
    {
        auto& lane = lanes_[index];
        lane.open = false;
        std::erase(opened_, index);
        for (const auto number : lane.wire)
            ++at(number).losses;
        for (const auto number : numbers(lane.wire)) // a copy: who fails leaves the wire
            if (const auto& lost = at(number); !is_repeatable(lost.key) || lost.losses == most_losses)
                fail(lost.key);
        const auto written_again = lane.wire.size();
        take_back(lane.outbox);
        take_back(lane.wire);
        deal();
        return written_again;
    }

    void distrust(std::size_t index)
    {
        lanes_[index].trusted = false;
        deal();
    }

    void works(std::size_t index, bool spoke)
    {
        lanes_[index].works = true;
        lanes_[index].trusted |= spoke;
        deal();
    }

    std::string take(std::size_t index)
    {
        auto& lane = lanes_[index];
        std::string bytes;
        for (const auto number : lane.outbox) {
            auto& request = at(number);
            bytes += bytes_for(request.key);
            request.written = true;
            if (is_repeatable(request.key))
                lane.last_repeatable = request.key;
            lane.wire.push_back(number);
        }
        lane.outbox.clear();
        return bytes;
    }

    bool deliver(std::size_t index, const std::string& key, const std::string& reply)
    {
        if (!has_requests_for(key))
            late_.erase(key);
        bool taken = false;
        while (auto* const receiver = longest_receiving(key)) {
            receiver->told = reply;
            taken = true;
            if (!coalesces_)
                break;
        }
        if (coalesces_)
            conclude_all(key);
        else if (const auto* const asked = longest_waiting(key, &lanes_[index].wire))
            conclude(asked->number);
        deal();
        return taken;
    }

    // `number` got a reply. If it was the reply to the message of another, that one takes its place, and what is known
    // of the message there.
    void take_reply(int number)
    {
        const auto is_robbed = [&](int other) { return at(other).key == at(number).key; };
        const auto robbed = std::ranges::find_if(answered_, is_robbed);
        if (is_answered(number) || robbed == answered_.end())
            return;
        const auto other = *robbed;
        answered_.erase(robbed);
        if (auto* const queue = queue_of(number))
            std::ranges::replace(*queue, number, other);
        at(other).losses = at(number).losses;
        std::swap(at(other), at(number));
    }

    void fail_all()
    {
        for (auto& request : requests_)
            if (request.told.empty())
                request.told = "stopped";
    }

    void expect_late_reply(const std::string& key, causeway::clock::time_point until) { late_[key] = until; }

    bool is_taken(const std::string& key, causeway::clock::time_point now) const
    {
        const auto late = late_.find(key);
        return has_requests_for(key) || (late != late_.end() && late->second > now);
    }

    // Whether a message for `number` is on its way or will be: its own or, when requests coalesce, another's.
    bool has_a_place(int number)
    {
        const auto shares_its_key = [&](const request& other) {
            return other.key == at(number).key && queue_of(other.number) != nullptr;
        };
        return queue_of(number) != nullptr || (coalesces_ && std::ranges::any_of(requests_, shares_its_key));
    }

    request& at(int number) { return *std::ranges::find(requests_, number, &request::number); }
    const lane& lane_at(std::size_t index) const { return lanes_[index]; }
    bool connected() const { return !opened_.empty(); }
    bool idle() const { return requests_.empty(); }
    std::size_t backlog() const { return backlog_.size() + suspects_.size(); }

    std::size_t keys() const
    {
        std::set<std::string> keys;
        for (const auto& request : requests_)
            if (!is_answered(request.number))
                keys.insert(request.key);
        return keys.size();
    }

private:
    bool is_answered(int number) const { return std::ranges::count(answered_, number) != 0; }
    bool is_suspect(int number) { return at(number).losses == most_losses - 1; }

    bool has_requests_for(const std::string& key) const
    {
        return std::ranges::count(requests_, key, &request::key) != 0;
    }

    // The one whose turn it is to get a reply.
    request* longest_receiving(const std::string& key)
    {
        request* longest = nullptr;
        for (auto& request : requests_)
            if (request.key == key && request.told.empty() && (longest == nullptr || request.number < longest->number))
                longest = &request;
        return longest;
    }

    // The one whose message is answered next; where `in` is not null, of those that stand there.
    request* longest_waiting(const std::string& key, const numbers* in = nullptr)
    {
        for (auto& request : requests_)
            if (request.key == key && !is_answered(request.number) && (in == nullptr || queue_of(request.number) == in))
                return &request;
        return nullptr;
    }

    // Where it stands; null when it is answered, or relies on another's message.
    numbers* queue_of(int number)
    {
        std::vector<numbers*> queues{&backlog_, &suspects_};
        for (auto& lane : lanes_)
            queues.insert(queues.end(), {&lane.outbox, &lane.wire});
        for (auto* const queue : queues)
            if (std::ranges::count(*queue, number) != 0)
                return queue;
        return nullptr;
    }

    bool is_a_wire(const numbers* queue) const
    {
        return std::ranges::any_of(lanes_, [&](const lane& lane) { return &lane.wire == queue; });
    }

    void leave_queues(int number)
    {
        if (auto* const queue = queue_of(number))
            std::erase(*queue, number);
        std::erase(answered_, number);
    }

    void conclude(int number)
    {
        leave_queues(number);
        answered_.push_back(number);
    }

    void conclude_all(const std::string& key)
    {
        while (const auto* const request = longest_waiting(key))
            conclude(request->number);
    }

    void fail(const std::string& key)
    {
        while (auto* const request = longest_receiving(key))
            request->told = "lost";
        conclude_all(key);
    }

    void take_back(numbers& queue)
    {
        for (const auto number : queue)
            if (is_suspect(number))
                suspects_.push_back(number);
        std::erase_if(queue, [&](int number) { return is_suspect(number); });
        backlog_.insert(backlog_.begin(), queue.begin(), queue.end());
        queue.clear();
    }

    void deal()
    {
        for (const auto index : opened_)
            if (!suspects_.empty() && may_get_a_suspect(lanes_[index]))
                deal(suspects_, lanes_[index]);
        while (!backlog_.empty()) {
            auto* const lane = least_busy_lane();
            if (lane == nullptr)
                return;
            deal(backlog_, *lane);
        }
    }

    // The longest open of the least busy.
    lane* least_busy_lane()
    {
        lane* least = nullptr;
        for (const auto index : opened_)
            if (auto& lane = lanes_[index];
                may_be_asked(lane) && (least == nullptr || lane.waiting() < least->waiting()))
                least = &lane;
        return least;
    }

    void deal(numbers& from, lane& to)
    {
        if (to.outbox.empty())
            ++to.wakes;
        to.outbox.push_back(from.front());
        from.erase(from.begin());
    }

    bool may_be_asked(const lane& lane) const
    {
        const bool any_trusted = std::ranges::any_of(opened_, [&](auto index) { return lanes_[index].trusted; });
        return lane.waiting() < window_ && (lane.trusted || !any_trusted);
    }

    bool may_get_a_suspect(const lane& lane)
    {
        const auto is_one = [&](int number) { return is_suspect(number); };
        return lane.works && may_be_asked(lane) && std::ranges::none_of(lane.outbox, is_one) &&
               std::ranges::none_of(lane.wire, is_one);
    }

    std::size_t window_;
    bool coalesces_;
    std::vector<request> requests_; // of those with a key on one wire, the first is the one that is answered there
    numbers backlog_;
    numbers suspects_;
    numbers answered_; // the reply to their message has come; they stand in no other queue
    std::array<lane, number_of_lanes> lanes_;
    std::vector<std::size_t> opened_; // the longest open first
    std::map<std::string, causeway::clock::time_point> late_;
};

struct connection {
    int wakes = 0;
    upstream::lane lane{[this] { ++wakes; }};
};

// The coroutine that asks.
struct asker {
    asker(upstream::multiplexer& multiplexer, int its_number, const std::string& key, const causeway::executor_type& io)
        : number(its_number)
        , question{upstream::key(key), bytes_for(key), is_repeatable(key)}
        , deadline(io, 1h)
        , request(multiplexer, question)
    {
    }

    int number;
    upstream::question question;
    causeway::steady_timer deadline;
    bool gives_up = false;
    upstream::waiting_request request;
};

class random_story {
public:
    random_story(unsigned seed, std::size_t window, bool coalesces)
        : random_(seed)
        , multiplexer_(io_.get_executor(), window, coalesces)
        , model_(window, coalesces)
    {
    }

    // One event. Those that happen before the event loop gets its turn are a tie.
    void go_on()
    {
        happen();
        check();
        if (below(3) == 0)
            poll();
    }

    // All leave, each at its deadline or all when the service stops.
    void end()
    {
        if (below(2) == 0)
            stop();
        poll();
        while (!askers_.empty()) {
            give_up();
            poll();
        }
        BOOST_TEST(multiplexer_.idle());
        BOOST_TEST(multiplexer_.backlog() == 0U);
        for (const auto& connection : connections_)
            BOOST_TEST(connection.lane.waiting() == 0U);
    }

private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    std::string any_key()
    {
        const auto index = below(shared_keys.size() + own_keys.size());
        return index < shared_keys.size() ? shared_keys[index] : own_keys[index - shared_keys.size()];
    }

    void happen()
    {
        const auto index = below(number_of_lanes);
        switch (below(16)) {
        case 0:
        case 1:
        case 2:
        case 3:
            return ask(any_key());
        case 4:
        case 5:
        case 6:
            return take(index);
        case 7:
        case 8:
        case 9:
            return deliver(index, any_key());
        case 10:
            return give_up();
        case 11:
        case 12:
            return model_.lane_at(index).open ? close(index) : open(index);
        case 13:
            return works(index, true);
        case 14:
            return works(index, false);
        default:
            return distrust(index);
        }
    }

    void ask(const std::string& key)
    {
        now_ += 1s;
        if (!is_repeatable(key) && multiplexer_.is_taken(upstream::key(key), now_))
            return;
        const auto number = next_++;
        model_.enter(number, key);
        auto& asker = *askers_.emplace_back(std::make_unique<::asker>(multiplexer_, number, key, io_.get_executor()));
        asker.request.receive(asker.deadline)(asio::bind_executor(
            io_.get_executor(), [this, &asker](const std::tuple<error_code, std::string>& received) {
                const auto& [error, reply] = received;
                hear(asker, error, reply);
            }));
    }

    // What the coroutine does when its wait has ended.
    void hear(asker& asker, error_code error, const std::string& reply)
    {
        const auto told = model_.at(asker.number).told;
        BOOST_TEST(in_words(error, reply) == (told.empty() && asker.gives_up ? "timed out" : told));
        if (!error) {
            asker.request.take_reply();
            model_.take_reply(asker.number);
        } else if (asker.request.written() && !asker.question.repeatable) {
            multiplexer_.expect_late_reply(asker.question.key, now_ + 20s);
            model_.expect_late_reply(std::string(asker.question.key.text()), now_ + 20s);
        }
        model_.leave(asker.number);
        std::erase_if(askers_, [&](const auto& other) { return other.get() == &asker; });
        check();
    }

    static std::string in_words(error_code error, const std::string& reply)
    {
        if (error == asio::error::connection_aborted)
            return "lost";
        if (error == asio::error::operation_aborted)
            return "stopped";
        if (error == asio::experimental::error::channel_cancelled)
            return "timed out";
        return error ? error.message() : reply;
    }

    void take(std::size_t index)
    {
        std::string bytes;
        multiplexer_.take(connections_[index].lane, bytes);
        BOOST_TEST(bytes == model_.take(index));
    }

    void deliver(std::size_t index, const std::string& key)
    {
        const auto reply = "reply " + std::to_string(next_++);
        BOOST_TEST(multiplexer_.deliver(connections_[index].lane, upstream::key(key), reply) ==
                   model_.deliver(index, key, reply));
    }

    void give_up()
    {
        if (askers_.empty())
            return;
        auto& asker = *askers_[below(askers_.size())];
        asker.gives_up = true;
        asker.deadline.cancel();
    }

    void open(std::size_t index)
    {
        multiplexer_.open(connections_[index].lane);
        model_.open(index);
    }

    void close(std::size_t index) { BOOST_TEST(multiplexer_.close(connections_[index].lane) == model_.close(index)); }

    void works(std::size_t index, bool spoke)
    {
        multiplexer_.works(connections_[index].lane, spoke);
        model_.works(index, spoke);
    }

    void distrust(std::size_t index)
    {
        multiplexer_.distrust(connections_[index].lane);
        model_.distrust(index);
    }

    void stop()
    {
        multiplexer_.fail_all(asio::error::operation_aborted);
        model_.fail_all();
    }

    // The event loop has its turn: whoever was told something has gone, and all others can still get a reply.
    void poll()
    {
        io_.restart();
        io_.poll();
        for (const auto& asker : askers_) {
            BOOST_TEST(model_.at(asker->number).told == "");
            BOOST_TEST(!asker->gives_up);
            BOOST_TEST(model_.has_a_place(asker->number));
        }
    }

    void check()
    {
        BOOST_TEST(multiplexer_.backlog() == model_.backlog());
        BOOST_TEST(multiplexer_.keys() == model_.keys());
        BOOST_TEST(multiplexer_.connected() == model_.connected());
        BOOST_TEST(multiplexer_.idle() == model_.idle());
        for (std::size_t index = 0; index < number_of_lanes; ++index)
            check(connections_[index], model_.lane_at(index));
        for (const auto& asker : askers_)
            if (const auto& request = model_.at(asker->number); request.told.empty())
                BOOST_TEST(asker->request.written() == request.written);
        for (const auto& key : own_keys)
            BOOST_TEST(multiplexer_.is_taken(upstream::key(key), now_) == model_.is_taken(key, now_));
    }

    static void check(const connection& connection, const lane& expected)
    {
        const auto* const last = connection.lane.last_repeatable();
        BOOST_TEST(connection.lane.waiting() == expected.waiting());
        BOOST_TEST(connection.lane.on_the_wire() == expected.wire.size());
        BOOST_TEST(connection.lane.doubtful() == !expected.trusted);
        BOOST_TEST(connection.wakes == expected.wakes);
        BOOST_TEST((last != nullptr ? last->text() : "") == expected.last_repeatable);
    }

    std::mt19937 random_;
    asio::io_context io_; // only polled: nothing on it waits for anything outside
    causeway::clock::time_point now_;
    int next_ = 0;
    upstream::multiplexer multiplexer_;
    std::array<connection, number_of_lanes> connections_;
    model model_;
    std::vector<std::unique_ptr<asker>> askers_;
};

// A story of some events from each of many seeds.
void tell_many(bool coalesces)
{
    for (const std::size_t window : {1U, 2U, 5U})
        for (unsigned seed = 0; seed < 50; ++seed) {
            random_story story(seed, window, coalesces);
            for (int event = 0; event < 200; ++event)
                BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", event " << event) { story.go_on(); }
            BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", at the end") { story.end(); }
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(multiplexer_model)

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_a_simple_model_and_leaves_nothing) { tell_many(false); }

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_the_same_model_when_requests_coalesce) { tell_many(true); }

BOOST_AUTO_TEST_SUITE_END()
