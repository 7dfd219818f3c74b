// The multiplexer next to a model of it: the same random events happen to both, and then both must look the same.
#include "upstream/multiplexer.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
namespace asio = causeway::asio;
namespace upstream = causeway::upstream;
using causeway::error_code;
using time_point = causeway::clock::time_point;
using upstream::key_use;

constexpr std::size_t number_of_lanes = 3;
constexpr auto blame_for = 50ms;     // a message not older than this when its connection is lost may be to blame
constexpr unsigned most_strikes = 2; // with the last of them a request fails

// Of different lengths. Where a key belongs to one request, the last two are for questions that are not repeatable.
const std::array<std::string, 4> all_keys{"a", "bb", "ccc", "dddd"};

std::string bytes_for(const std::string& key) { return key + ' '; }

bool is_repeatable(const std::string& key, key_use use) { return use != key_use::own || key.size() < 3; }

// The multiplexer's promises in their simplest form. Requests are numbered in order of arrival.
using numbers = std::vector<int>; // of requests, in their order

constexpr auto no_lane = std::numeric_limits<std::size_t>::max();

struct request {
    int number;
    std::string key;
    time_point written_at;
    unsigned strikes = 0;          // how often its message was the only possible cause in quiet
    bool lost_early = false;       // soon after it was written
    bool suspect = false;          // twice
    std::size_t lost_on = no_lane; // which was lost with it last
    bool needs_quiet = false;      // to be tried while no suspect, and no message that was ever lost, is on the wire
    bool released = false;         // from suspicion, once, because an equal message survived
    int times_written = 0;
    std::string told; // a reply or an error, on its way to the asking coroutine
};

// A message that was taken last, and the request that waits for its reply on that connection still.
struct taken {
    int number;
    std::size_t size;
};

constexpr int nobody = -1;

struct lane {
    numbers outbox;
    numbers wire;
    bool open = false;
    bool spoke = false;
    bool on_probation = false;
    bool trusted = true;
    std::size_t recalled = 0;
    std::size_t trial = 1;
    std::vector<taken> taken_last;

    std::size_t waiting() const { return outbox.size() + wire.size(); }
};

class model {
public:
    model(std::size_t window, key_use use)
        : window_(window)
        , use_(use)
    {
    }

    void enter(int number, const std::string& key)
    {
        const auto* const longest = longest_waiting(key);
        const bool relies_on_another = coalesces() && longest != nullptr;
        const bool suspect =
            !relies_on_another && longest != nullptr && longest->suspect && longest->lost_on != no_lane;
        requests_.push_back({.number = number,
                             .key = key,
                             .written_at = {},
                             .lost_early = suspect,
                             .suspect = suspect,
                             .released = suspect && longest->released,
                             .told = {}});
        if (!relies_on_another)
            queue_for(at(number)).push_back(number);
        deal();
    }

    void leave(int number)
    {
        const auto leaving = at(number);
        auto* const queue = queue_of(number);
        std::erase_if(requests_, [&](const request& request) { return request.number == number; });
        auto* const next = longest_waiting(leaving.key);
        if (coalesces() && queue != nullptr && next != nullptr) {
            next->lost_early = leaving.lost_early;
            next->suspect = leaving.suspect;
            next->strikes = leaving.strikes;
            next->lost_on = leaving.lost_on;
            next->needs_quiet = leaving.needs_quiet;
            next->released = leaving.released;
            if (is_a_wire(queue))
                queue_for(*next).insert(queue_for(*next).begin(), next->number);
            else
                std::ranges::replace(*queue, number, next->number);
        }
        leave_queues(number);
        deal();
    }

    void open(std::size_t index, bool on_probation)
    {
        lanes_[index].open = true;
        lanes_[index].spoke = false;
        lanes_[index].on_probation = on_probation;
        lanes_[index].trial = 1;
        opened_.push_back(index);
        if (works(lanes_[index]))
            recall();
        deal();
    }

    std::size_t close(std::size_t index, time_point now)
    {
        auto& lane = lanes_[index];
        lane.open = false;
        std::erase(opened_, index);
        if (suspects_.empty())
            survivors_.clear();
        blame(lane.wire, index, now);
        for (const auto number : numbers(lane.wire)) // a copy, because a request that fails leaves the wire
            if (const auto& lost = at(number); !is_repeatable(lost.key, use_) || lost.strikes == most_strikes) {
                condemned_[lost.key] = now + 3s;
                fail(lost.key);
            }
        const auto written_again = lane.wire.size() + std::exchange(lane.recalled, 0);
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

    void spoke(std::size_t index)
    {
        auto& lane = lanes_[index];
        const bool is_new = !lane.spoke || !lane.trusted;
        lane.spoke = true;
        lane.on_probation = false;
        lane.trusted = true;
        if (is_new)
            recall();
        deal();
    }

    void gave_sign_of_life(std::size_t index)
    {
        auto& lane = lanes_[index];
        if (lane.trusted)
            return spoke(index);
        lane.spoke = true;
        lane.on_probation = false;
        deal();
    }

    std::string take(std::size_t index, time_point now)
    {
        auto& lane = lanes_[index];
        return write(lane, std::exchange(lane.outbox, {}), now);
    }

    std::string take_suspects(std::size_t index, time_point now)
    {
        auto& lane = lanes_[index];
        std::string written;
        lane.taken_last.clear();
        for (std::size_t count = 0; count != lane.trial && has_suspects_for(index); ++count) {
            const auto number = *next_suspect_for(index);
            std::erase(suspects_, number);
            written += write(lane, number, now);
            if (at(number).needs_quiet)
                break;
        }
        deal();
        return written;
    }

    void put_back(std::size_t index, std::size_t bytes)
    {
        auto& lane = lanes_[index];
        numbers not_written;
        for (const auto& [number, size] : lane.taken_last | std::views::reverse) {
            if (size > bytes)
                break;
            bytes -= size;
            if (number != nobody)
                not_written.insert(not_written.begin(), number);
        }
        for (const auto number : not_written) {
            leave_queues(number);
            --at(number).times_written;
        }
        lane.outbox.insert(lane.outbox.begin(), not_written.begin(), not_written.end());
    }

    void acquit(std::size_t index)
    {
        auto& lane = lanes_[index];
        for (const auto number : lane.wire)
            survived(at(number), lane);
        for (const auto number : lane.wire)
            forgive(at(number));
        lane.trial *= 2;
        deal();
    }

    bool deliver(std::size_t index, const std::string& key, const std::string& reply)
    {
        const auto* const asked = longest_waiting(key, &lanes_[index].wire);
        if (use_ == key_use::own && asked == nullptr)
            return false;
        bool taken = false;
        while (auto* const receiver = longest_receiving(key)) {
            receiver->told = reply;
            taken = true;
            if (!coalesces())
                break;
        }
        if (coalesces()) {
            conclude_all(key);
        } else if (asked != nullptr) {
            survived(*asked, lanes_[index]);
            conclude(asked->number);
        }
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
        replace_in_taken(number, other);
        at(other).lost_early = at(number).lost_early;
        at(other).suspect = at(number).suspect;
        at(other).strikes = at(number).strikes;
        at(other).lost_on = at(number).lost_on;
        at(other).needs_quiet = at(number).needs_quiet;
        at(other).released = at(number).released;
        at(other).written_at = at(number).written_at;
        std::swap(at(other), at(number));
    }

    void fail_all()
    {
        for (auto& request : requests_)
            if (request.told.empty())
                request.told = "stopped";
    }

    bool is_condemned(const std::string& key, time_point now) const
    {
        const auto condemned = condemned_.find(key);
        return use_ != key_use::own && condemned != condemned_.end() && condemned->second > now;
    }

    // Whether a message for `number` is in flight or will be: its own or, when requests coalesce, another's.
    bool has_a_place(int number)
    {
        const auto shares_its_key = [&](const request& other) {
            return other.key == at(number).key && queue_of(other.number) != nullptr;
        };
        return queue_of(number) != nullptr || (coalesces() && std::ranges::any_of(requests_, shares_its_key));
    }

    request& at(int number) { return *std::ranges::find(requests_, number, &request::number); }
    const request& at(int number) const { return *std::ranges::find(requests_, number, &request::number); }
    const lane& lane_at(std::size_t index) const { return lanes_[index]; }
    bool has_suspects() const { return !suspects_.empty(); }
    bool has_lost() const { return !lost_.empty() || has_suspects(); }

    // The first that is not to be tried on another lane than the one that lost it.
    std::optional<int> next_suspect_for(std::size_t index) const
    {
        const auto works_too = [&](std::size_t other) { return other != index && works(lanes_[other]); };
        const bool another_works = std::ranges::any_of(opened_, works_too);
        for (const auto number : suspects_)
            if (!another_works || !at(number).needs_quiet || at(number).lost_on != index)
                return number;
        return std::nullopt;
    }

    bool has_suspects_for(std::size_t index) const
    {
        if (!has_suspects() || lanes_[index].on_probation || !may_be_asked(lanes_[index]))
            return false;
        return may_be_tried(next_suspect_for(index), index);
    }

    bool any_works() const
    {
        return std::ranges::any_of(opened_, [&](auto index) { return works(lanes_[index]); });
    }
    bool has_unserved() const
    {
        const auto is_of_no_help = [&](auto index) { return lanes_[index].waiting() != 0 && !works(lanes_[index]); };
        return backlog() != 0 || std::ranges::any_of(opened_, is_of_no_help);
    }
    bool idle() const { return requests_.empty(); }
    std::size_t backlog() const { return backlog_.size() + lost_.size() + suspects_.size(); }

    std::size_t keys() const
    {
        std::set<std::string> keys;
        for (const auto& request : requests_)
            if (!is_answered(request.number))
                keys.insert(request.key);
        return keys.size();
    }

    bool has_requests_for(const std::string& key) const
    {
        return std::ranges::count(requests_, key, &request::key) != 0;
    }

private:
    bool is_answered(int number) const { return std::ranges::count(answered_, number) != 0; }
    bool coalesces() const { return use_ == key_use::coalesced; }

    // The request whose turn it is to get a reply.
    request* longest_receiving(const std::string& key)
    {
        request* longest = nullptr;
        for (auto& request : requests_)
            if (request.key == key && request.told.empty() && (longest == nullptr || request.number < longest->number))
                longest = &request;
        return longest;
    }

    // The request whose message is answered next; if `in` is not null, among those in it.
    request* longest_waiting(const std::string& key, const numbers* in = nullptr)
    {
        for (auto& request : requests_)
            if (request.key == key && !is_answered(request.number) && (in == nullptr || queue_of(request.number) == in))
                return &request;
        return nullptr;
    }

    // The queue that contains it; null when it is answered, or relies on another's message.
    numbers* queue_of(int number)
    {
        std::vector<numbers*> queues{&backlog_, &lost_, &suspects_};
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
        replace_in_taken(number, nobody);
    }

    void replace_in_taken(int number, int other)
    {
        for (auto& lane : lanes_)
            std::ranges::replace(lane.taken_last | std::views::transform(&taken::number), number, other);
    }

    std::string write(lane& lane, const numbers& messages, time_point now)
    {
        std::string bytes;
        lane.taken_last.clear();
        for (const auto number : messages)
            bytes += write(lane, number, now);
        return bytes;
    }

    std::string write(lane& lane, int number, time_point now)
    {
        auto& request = at(number);
        request.written_at = now;
        ++request.times_written;
        lane.wire.push_back(number);
        lane.taken_last.push_back({number, bytes_for(request.key).size()});
        return bytes_for(request.key);
    }

    // What had not been lost like that before is not to blame.
    void blame(const numbers& lost, std::size_t index, time_point now)
    {
        numbers recent;
        for (const auto number : lost)
            if (now - at(number).written_at < blame_for)
                recent.push_back(number);
        for (const auto number : recent)
            if (std::exchange(at(number).lost_early, true))
                at(number).suspect = true;
        for (const auto number : lost)
            at(number).lost_on = index;
        if (recent.size() == 1 && at(recent.front()).suspect && lanes_[index].spoke)
            accuse(at(recent.front()), index);
    }

    // All suspects with its key that wait go behind the others, and have its strikes if something else has survived.
    void accuse(request& suspect, std::size_t index)
    {
        suspect.strikes += suspect.needs_quiet ? 1U : 0U;
        suspect.needs_quiet = true;
        survivors_.erase(suspect.key);
        const bool another_survived = !survivors_.empty();
        survivors_.clear();
        for (const auto number : numbers(suspects_)) {
            auto& equal = at(number);
            if (equal.key != suspect.key)
                continue;
            std::erase(suspects_, number);
            suspects_.push_back(number);
            if (!another_survived)
                continue;
            equal.lost_on = index;
            equal.needs_quiet = true;
            equal.strikes = std::max(equal.strikes, suspect.strikes);
        }
    }

    bool may_be_tried(std::optional<int> number, std::size_t index) const
    {
        const auto is_suspicious = [&](int other) { return may_be_to_blame(other); };
        return number && (!at(*number).needs_quiet || std::ranges::none_of(lanes_[index].wire, is_suspicious));
    }

    bool may_be_to_blame(int number) const { return at(number).suspect || at(number).lost_on != no_lane; }

    numbers& queue_for(const request& request)
    {
        if (request.suspect)
            return suspects_;
        return request.lost_early ? lost_ : backlog_;
    }

    void survived(const request& tried, const lane& lane)
    {
        if (suspects_.empty())
            return;
        survivors_.insert(tried.key);
        if (!tried.suspect)
            return;
        const auto was_released = [&](const request& other) {
            return other.key == tried.key && other.released && !is_answered(other.number);
        };
        const bool again = std::ranges::any_of(requests_, was_released);
        const auto most = again ? 4 * std::min(lane.trial, window_) : suspects_.size();
        numbers released;
        for (auto& request : requests_) {
            if (request.key != tried.key)
                continue;
            if (std::ranges::count(lane.wire, request.number) != 0)
                forgive(request);
            if (std::ranges::count(suspects_, request.number) == 0)
                continue;
            if (released.size() != most) {
                std::erase(suspects_, request.number);
                forgive(request);
                request.released = true;
                released.push_back(request.number);
            } else {
                take_strikes_from(request);
            }
        }
        backlog_.insert(backlog_.begin(), released.begin(), released.end());
    }

    static void forgive(request& acquitted)
    {
        acquitted.lost_early = false;
        acquitted.suspect = false;
        acquitted.released = false;
        take_strikes_from(acquitted);
    }

    static void take_strikes_from(request& suspect)
    {
        suspect.needs_quiet = false;
        suspect.strikes = 0;
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
        numbers others;
        numbers lost;
        for (const auto number : queue) {
            replace_in_taken(number, nobody);
            if (!at(number).suspect)
                (at(number).lost_early ? lost : others).push_back(number);
        }
        for (const auto number : queue | std::views::reverse) // the newest suspects first
            if (at(number).suspect)
                suspects_.push_back(number);
        lost_.insert(lost_.end(), lost.begin(), lost.end());
        backlog_.insert(backlog_.begin(), others.begin(), others.end());
        queue.clear();
    }

    // If a connection works, nothing that may be written again waits for one that may not work.
    void recall()
    {
        for (const auto index : opened_) {
            auto& lane = lanes_[index];
            if (works(lane))
                continue;
            take_back(lane.outbox);
            if (use_ != key_use::own) {
                lane.recalled += lane.wire.size();
                take_back(lane.wire);
            }
        }
    }

    // What was lost early waits for a connection that has received something.
    void deal()
    {
        while (auto* const lane = lost_.empty() ? nullptr : least_busy_lane(false))
            deal(lost_, *lane);
        while (auto* const lane = backlog_.empty() ? nullptr : least_busy_lane(true))
            deal(backlog_, *lane);
    }

    // The longest-open one of the least busy lanes.
    lane* least_busy_lane(bool also_on_probation)
    {
        lane* least = nullptr;
        for (const auto index : opened_) {
            auto& lane = lanes_[index];
            if (!has_room(index) || (lane.on_probation && !also_on_probation))
                continue;
            if (least == nullptr || lane.waiting() < least->waiting())
                least = &lane;
        }
        return least;
    }

    void deal(numbers& from, lane& to)
    {
        to.outbox.push_back(from.front());
        from.erase(from.begin());
    }

    // For requests from the backlog: the next suspects have theirs.
    bool has_room(std::size_t index) const
    {
        const auto& lane = lanes_[index];
        const auto for_a_trial =
            may_be_tried(next_suspect_for(index), index) ? std::min(suspects_.size(), lane.trial) : 0;
        const auto kept_free = lane.on_probation ? 1 : for_a_trial;
        const bool asks_whether_it_works = !lane.on_probation && lane.waiting() == 0;
        return (may_be_asked(lane) || asks_whether_it_works) && lane.waiting() + kept_free < window_;
    }

    static bool works(const lane& lane) { return lane.trusted && !lane.on_probation; }

    bool may_be_asked(const lane& lane) const { return lane.waiting() < window_ && (works(lane) || !any_works()); }

    std::size_t window_;
    key_use use_;
    std::vector<request> requests_; // of those with the same key on one wire, the first is answered there
    numbers backlog_;
    numbers lost_;
    numbers suspects_;
    std::set<std::string> survivors_; // keys of messages that survived since an accusation, while suspects wait
    numbers answered_;                // the reply to their message has arrived; they are in no other queue
    std::array<lane, number_of_lanes> lanes_;
    std::vector<std::size_t> opened_;             // the longest-open first
    std::map<std::string, time_point> condemned_; // until when
};

struct connection {
    bool is_awake = false; // its writer will check, or already knows what there is for it
    upstream::lane lane{[this] { is_awake = true; }};
};

// The coroutine that asks.
struct asker {
    asker(upstream::multiplexer& multiplexer, int its_number, const std::string& key, bool repeatable,
          const causeway::executor_type& io)
        : number(its_number)
        , question{upstream::key(key), bytes_for(key), repeatable}
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
    random_story(unsigned seed, std::size_t window, key_use use)
        : random_(seed)
        , use_(use)
        , multiplexer_(io_.get_executor(), window, use)
        , model_(window, use)
    {
    }

    // One event. Those that happen before the event loop gets its turn are a tie.
    void go_on()
    {
        pass_time();
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

    const std::string& any_key() { return all_keys[below(all_keys.size())]; }

    // Sometimes, and then by about as long as makes a difference.
    void pass_time()
    {
        constexpr std::array<std::chrono::nanoseconds, 5> steps{1ms, 25ms, 50ms - 1ns, 50ms, 51ms};
        if (below(4) == 0)
            now_ += steps[below(steps.size())];
    }

    void happen()
    {
        const auto index = below(number_of_lanes);
        switch (below(20)) {
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
            return take_suspects(index);
        case 9:
            return acquit(index);
        case 10:
            return put_back(index);
        case 11:
        case 12:
        case 13:
            return deliver(index, any_key());
        case 14:
            return give_up();
        case 15:
        case 16:
            return model_.lane_at(index).open ? close(index) : open(index);
        case 17:
            return spoke(index);
        case 18:
            return gave_sign_of_life(index);
        default:
            return distrust(index);
        }
    }

    void ask(const std::string& key)
    {
        if (use_ == key_use::own && multiplexer_.is_waited_for(upstream::key(key)))
            return;
        const auto number = next_++;
        model_.enter(number, key);
        auto& asker = *askers_.emplace_back(
            std::make_unique<::asker>(multiplexer_, number, key, is_repeatable(key, use_), io_.get_executor()));
        asker.request.receive(asker.deadline)(asio::bind_executor(
            io_.get_executor(), [this, &asker](const auto&, error_code error, const std::string& reply, error_code) {
                hear(asker, error, reply);
            }));
    }

    // What the coroutine does after its wait has ended.
    void hear(asker& asker, error_code error, const std::string& reply)
    {
        const auto told = model_.at(asker.number).told;
        BOOST_TEST(in_words(error, reply) == (told.empty() && asker.gives_up ? "timed out" : told));
        if (!error) {
            asker.request.take_reply();
            model_.take_reply(asker.number);
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
        multiplexer_.take(connections_[index].lane, bytes, now_);
        BOOST_TEST(bytes == model_.take(index, now_));
        connections_[index].is_awake = model_.has_suspects_for(index); // its writer continues with those
    }

    void take_suspects(std::size_t index)
    {
        if (!model_.lane_at(index).open)
            return;
        std::string bytes;
        multiplexer_.take_suspects(connections_[index].lane, bytes, now_);
        BOOST_TEST(bytes == model_.take_suspects(index, now_));
    }

    void acquit(std::size_t index)
    {
        multiplexer_.acquit(connections_[index].lane);
        model_.acquit(index);
    }

    // The connection may have had its own messages to write before.
    void put_back(std::size_t index)
    {
        std::size_t size = below(8);
        for (const auto& taken : model_.lane_at(index).taken_last)
            size += taken.size;
        const auto bytes = below(size + 1);
        multiplexer_.put_back(connections_[index].lane, bytes);
        model_.put_back(index, bytes);
        connections_[index].is_awake = true; // its writer ends
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
        const bool on_probation = below(2) == 0;
        multiplexer_.open(connections_[index].lane, on_probation);
        model_.open(index, on_probation);
    }

    void close(std::size_t index)
    {
        BOOST_TEST(multiplexer_.close(connections_[index].lane, now_) == model_.close(index, now_));
    }

    void spoke(std::size_t index)
    {
        multiplexer_.spoke(connections_[index].lane);
        model_.spoke(index);
    }

    void gave_sign_of_life(std::size_t index)
    {
        multiplexer_.gave_sign_of_life(connections_[index].lane);
        model_.gave_sign_of_life(index);
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

    // The event loop has its turn: every request that was told something has gone, and all others can still get a
    // reply.
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
        BOOST_TEST(multiplexer_.any_works() == model_.any_works());
        BOOST_TEST(multiplexer_.has_unserved() == model_.has_unserved());
        BOOST_TEST(multiplexer_.idle() == model_.idle());
        BOOST_TEST(multiplexer_.has_suspects() == model_.has_suspects());
        BOOST_TEST(multiplexer_.has_lost() == model_.has_lost());
        for (std::size_t index = 0; index < number_of_lanes; ++index)
            check(index);
        for (const auto& asker : askers_)
            if (const auto& request = model_.at(asker->number); request.told.empty())
                BOOST_TEST(asker->request.written() == (request.times_written != 0));
        for (const auto& key : all_keys) {
            BOOST_TEST(multiplexer_.is_waited_for(upstream::key(key)) == model_.has_requests_for(key));
            BOOST_TEST(multiplexer_.is_condemned(upstream::key(key), now_) == model_.is_condemned(key, now_));
        }
    }

    void check(std::size_t index) const
    {
        const auto& connection = connections_[index];
        const auto& expected = model_.lane_at(index);
        const bool has_something = !expected.outbox.empty() || (expected.open && model_.has_suspects_for(index));
        BOOST_TEST(connection.lane.waiting() == expected.waiting());
        BOOST_TEST(connection.lane.on_the_wire() == expected.wire.size());
        BOOST_TEST(connection.lane.doubtful() == !expected.trusted);
        BOOST_TEST(multiplexer_.has_suspects_for(connection.lane) == model_.has_suspects_for(index));
        BOOST_TEST((connection.is_awake || !has_something));
    }

    std::mt19937 random_;
    asio::io_context io_; // only polled: nothing on it waits for anything outside
    key_use use_;
    time_point now_;
    int next_ = 0;
    upstream::multiplexer multiplexer_;
    std::array<connection, number_of_lanes> connections_;
    model model_;
    std::vector<std::unique_ptr<asker>> askers_;
};

// A story of some events from each of many seeds.
void tell_many(key_use use)
{
    for (const std::size_t window : {1U, 2U, 5U})
        for (unsigned seed = 0; seed < 50; ++seed) {
            random_story story(seed, window, use);
            for (int event = 0; event < 200; ++event)
                BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", event " << event) { story.go_on(); }
            BOOST_TEST_CONTEXT("seed " << seed << ", window " << window << ", at the end") { story.end(); }
        }
}

} // namespace

BOOST_AUTO_TEST_SUITE(multiplexer_model)

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_a_simple_model_and_leaves_nothing)
{
    tell_many(key_use::shared);
}

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_the_same_model_when_requests_coalesce)
{
    tell_many(key_use::coalesced);
}

BOOST_AUTO_TEST_CASE(any_order_of_events_has_the_outcome_of_the_same_model_when_a_key_belongs_to_one_request)
{
    tell_many(key_use::own);
}

BOOST_AUTO_TEST_SUITE_END()
