// Who waits for what, and on which connection. No I/O: every order of events is a plain unit test.
#pragma once

#include "net/asio.hpp"
#include "upstream/protocol.hpp"
#include "upstream/reply_channels.hpp"
#include "upstream/statistics.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::upstream {

class lane;
class multiplexer;
class waiting_request;

struct by_place; // tags of the two lists in which a request stands
struct by_key;

using queue_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_place>>;
using key_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_key>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using request_queue = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<queue_hook>>;

/// All who wait for one key, and the channel through which they hear.
struct waits_for_a_key {
    using requests = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<key_hook>,
                                            boost::intrusive::constant_time_size<false>>;

    explicit waits_for_a_key(const executor_type& executor)
        : channels(executor)
    {
    }

    reply_channels channels;
    requests waiting;  // for their reply, the longest waiting first
    requests answered; // the reply to their message has come, in this turn of the event loop
};

using wait_map = std::unordered_map<key, waits_for_a_key>;

/// Keeps what a key needs there for as long as a request waits for it.
class key_in_use {
public:
    key_in_use(multiplexer& multiplexer, const key& key);
    ~key_in_use();
    key_in_use(const key_in_use&) = delete;
    key_in_use& operator=(const key_in_use&) = delete;

    waits_for_a_key& operator*() const noexcept { return of_key_.second; }
    waits_for_a_key* operator->() const noexcept { return &of_key_.second; }

private:
    multiplexer& multiplexer_;
    wait_map::value_type& of_key_;
};

/// When a message was written, and on which lane.
struct writing {
    clock::time_point at;
    const lane* on = nullptr;
};

/// One request for as long as it waits, wherever it waits: constructing it enters it, destroying it takes it out, and
/// what was not written by then never will be. Owned by the coroutine that asks; the multiplexer and the question
/// outlive it.
class waiting_request : public queue_hook, public key_hook {
public:
    waiting_request(multiplexer& multiplexer, const upstream::question& question);
    ~waiting_request();
    waiting_request(const waiting_request&) = delete;
    waiting_request& operator=(const waiting_request&) = delete;

    /// Waits for the reply until `deadline` expires; see `reply_channels::subscription::receive`. Its error is
    /// `connection_aborted` when the message was lost with its connection and is not written again. When it has ended,
    /// the request is to be destroyed before the event loop goes on: until then another may change places with it, and
    /// a third that still waits would be left without a place.
    auto receive(steady_timer& deadline) { return subscription_.receive(deadline); }

    /// To be called when `receive` has given a reply. A reply goes to whoever has waited longest for its key, and that
    /// may be another request than the one whose message it answers. Then the two change places: the other still gets
    /// the reply that is owed to this one, or is written again when that connection is lost. Gives the last writing of
    /// the message that has been answered; nothing when the reply was to none that is known.
    std::optional<writing> take_reply();

    /// The last writing of its message, if there was one; of the other's, if it has changed places with another.
    std::optional<writing> last_written() const
    {
        return written() && written_.on != nullptr ? std::optional(written_) : std::nullopt;
    }

    /// Whether the upstream may have seen the message.
    bool written() const noexcept { return times_written_ != 0; }

private:
    friend multiplexer;

    void leave_queue();
    void move_to(request_queue& queue, request_queue::iterator before);

    multiplexer& multiplexer_;
    const upstream::question& question_;
    key_in_use key_;
    reply_channels::subscription subscription_; // of the key's channel
    request_queue* queue_ = nullptr; // the one it stands in; none when it is answered, or relies on another's message
    writing written_;                // last
    std::size_t place_ = 0;          // of its message, last, among all bytes that were taken for that connection
    unsigned strikes_ = 0;           // connections that were lost when it was tried in quiet, and the only one to blame
    unsigned times_written_ = 0;
    bool suspect_ = false;     // it could be to blame for the loss of a connection
    bool lost_before_ = false; // its message was on a connection that was lost
    bool needs_quiet_ = false; // a suspect to be tried where no other, and no message that was lost, is on the wire
    bool answered_ = false;
};

/// One connection as the multiplexer sees it. Owned by whoever owns the connection; outlives its time in the
/// multiplexer, from `open` to `close`.
class lane {
public:
    /// `wake` is called when the outbox gets its first request, so that the connection's writer looks after it.
    /// `name`, which outlives it, is the upstream's.
    explicit lane(std::function<void()> wake, std::string_view name = {})
        : name_(name)
        , wake_(std::move(wake))
    {
    }

    std::string_view name() const noexcept { return name_; }

    /// Requests that have this connection, written or not.
    std::size_t waiting() const noexcept { return outbox_.size() + on_the_wire_.size(); }

    /// Requests that have been written and may get a reply.
    std::size_t on_the_wire() const noexcept { return on_the_wire_.size(); }

    /// Whether any of them waits to be written.
    bool has_unwritten() const noexcept { return !outbox_.empty(); }

    /// True when silence was the end of its last connection, and nothing has come since.
    bool doubtful() const noexcept { return !trusted_; }

private:
    friend multiplexer;

    std::string_view name_;
    std::function<void()> wake_;
    request_queue outbox_;       // has a place in the window, is not written yet
    request_queue on_the_wire_;  // has been written; a reply may come
    bool trusted_ = true;        // otherwise it is asked only where no other can be
    bool spoke_ = false;         // something has come on the connection
    bool on_probation_ = false;  // it must, before suspects are tried on it
    std::size_t recalled_ = 0;   // requests that were written here, and will be elsewhere; since it was opened
    std::size_t trial_size_ = 1; // suspects that are tried at once
    std::size_t taken_ = 0;      // bytes, ever
    std::size_t taken_last_ = 0; // of these, what was taken last
};

/// What equal keys mean.
enum class key_use {
    own,       ///< never two requests: a key belongs to one
    shared,    ///< equal questions: any reply will do for any of them, and each is written
    coalesced, ///< equal questions that share one message
};

/// Deals waiting requests out to connections, and replies to requests. At most `window` requests have a place on one
/// connection; further ones wait in the backlog, the longest waiting first. Belongs to one event loop; every call is
/// made on its thread.
///
/// When it coalesces, requests that wait for the same key at the same time share one message: the first of them is
/// dealt out, the others wait for the same reply. When that one leaves without it, the next is dealt out, and has what
/// is left of its own time.
class multiplexer {
public:
    /// A message that kills its upstream does so soon: one that is older on the wire is not to blame when the
    /// connection is lost.
    static constexpr std::chrono::nanoseconds blame_for = std::chrono::milliseconds(50);

    /// How often a suspect that is tried in quiet may be the only one to blame before its requests fail.
    static constexpr unsigned most_strikes = 2;

    /// How long requests for its key fail after that, without being written.
    static constexpr std::chrono::nanoseconds condemned_for = std::chrono::seconds(3);

    /// `window` is the most requests on one connection, at least 1.
    multiplexer(const executor_type& executor, std::size_t window, key_use use = key_use::shared)
        : executor_(executor)
        , window_(window)
        , use_(use)
    {
        spare_.reserve(most_spare);
    }

    /// From now on this is the most requests on one connection, at least 1. Those that have a place keep it.
    void set_window(std::size_t window);

    /// `lane` has a connection: it takes its share of the backlog. One that is on probation was asked whether it works:
    /// suspects are not tried on it before something has come. Otherwise, if it is trusted, it works: what others have
    /// been asked that do not is recalled from them, what was written only if keys are shared.
    void open(lane& lane, bool on_probation = false);

    /// `lane` lost its connection. Its requests go to other connections or back to the head of the backlog, to be
    /// written (again). Those whose message was written and is not repeatable fail. Those that may have been to blame
    /// become suspects; one that was so too often, alone and in quiet, fails with all that wait for its key, which
    /// is condemned unless it belongs to one request. Returns how many had been written and will be written again, with
    /// those that were recalled from it.
    std::size_t close(lane& lane, clock::time_point now);

    /// `lane` took requests and kept silent: from now on requests prefer any other, until something comes on it.
    void distrust(lane& lane);

    /// Something has come on `lane`: it works, see `open`, and suspects may be tried on it.
    void spoke(lane& lane)
    {
        if (!lane.spoke_ || !lane.trusted_)
            take_first_word(lane);
    }

    /// Appends to `wire` all that waits to be written on `lane`. What is taken counts as written.
    void take(lane& lane, std::string& wire, clock::time_point now);

    /// Of what was taken for `lane` last, the last `bytes` were not handed to the kernel; more than were taken means
    /// all of them. A message of which nothing was handed over was not written this time.
    void put_back(lane& lane, std::size_t bytes);

    /// Whether there are suspects, and whether any may be tried on `lane`.
    bool has_suspects() const noexcept { return !suspects_.empty(); }
    bool has_suspects_for(const lane& lane) const
    {
        return has_suspects() && !lane.on_probation_ && may_be_asked(lane) && may_be_tried(suspects_.front(), lane);
    }

    /// Whether the next suspect is to be tried in quiet: while no other is tried, on any event loop.
    bool needs_quiet() const noexcept { return has_suspects() && suspects_.front().needs_quiet_; }

    /// Appends to `wire` the next few suspects. They are to be alone: nothing else is to be written on `lane` for
    /// `blame_for` before and after.
    void take_suspects(lane& lane, std::string& wire, clock::time_point now);

    /// Whether any of the suspects taken last has not been answered yet.
    bool is_trying(const lane& lane) const;

    /// The suspects taken last have not killed the upstream: they are none any more, and twice as many are tried next.
    void acquit(lane& lane);

    /// Bytes have come, on whatever connection: the time of the messages that are delivered until the next call.
    void received(clock::time_point now) noexcept { received_at_ = now; }
    clock::time_point received_at() const noexcept { return received_at_; }

    /// A message for `key` has come on `lane`. It goes to the request that has waited longest for it, or to all of them
    /// when it coalesces; false when nobody waits. A key that belongs to one request is known only on the connection on
    /// which that was written.
    bool deliver(lane& from, const key& key, std::string_view message);

    /// Whether messages for `key` have killed connections lately.
    bool is_condemned(const key& key, clock::time_point now) const
    {
        if (condemned_.empty()) // as it nearly always is
            return false;
        const auto found = condemned_.find(key);
        return found != condemned_.end() && found->second > now;
    }

    /// Whether a request waits for `key`.
    bool is_waited_for(const key& key) const { return waits_.contains(key); }

    /// Whether a request waits for `key`, or one did and its late reply may still come.
    bool is_taken(const key& key, clock::time_point now);

    /// Whether so many late replies may come that no more can be noted.
    bool expects_too_many() const noexcept { return late_in_order_.size() >= most_late; }

    /// Nobody waits for the reply to `key` any more, and it may still come until then: so long is the key taken.
    void expect_late_reply(const key& key, clock::time_point until);

    /// Ends all waits with `error`; for stopping.
    void fail_all(error_code error);

    /// True while any connection is open.
    bool connected() const noexcept { return !lanes_.empty(); }

    /// Requests without a place on a connection.
    std::size_t backlog() const noexcept { return backlog_.size() + suspects_.size(); }

    /// Requests that wait, by where they do.
    waiting_requests waiting() const;

    /// Keys that somebody waits for.
    std::size_t keys() const;

    /// True when nobody waits, nor has just been answered.
    bool idle() const noexcept { return waits_.empty(); }

private:
    friend waiting_request;
    friend key_in_use;

    // What a key needs is made of several pieces of memory. So some are kept for the next keys, each in the node that
    // it had in the map. Nobody waits on its channel then, because a subscription ends after its wait.
    static constexpr std::size_t most_spare = 64;

    static constexpr std::size_t most_late = 1'000'000;
    static constexpr int most_expired_at_once = 16;

    wait_map::value_type& waits_for(const key& key);
    void give_back(const key& key);

    void enter(waiting_request& request);
    void leave(waiting_request& request);
    void hand_over(waiting_request& leaving, waiting_request& next);
    void conclude(waiting_request& request);
    void conclude_all(waits_for_a_key& waits);
    void take_back(request_queue& requests);
    void take_first_word(lane& lane);
    void recall();
    void write(waiting_request& request, lane& lane, std::string& wire, clock::time_point now);
    static void blame(request_queue& lost, bool had_worked, clock::time_point now);
    void fail(waiting_request& request, clock::time_point now);
    static bool may_be_tried(const waiting_request& suspect, const lane& lane);

    // Everything that changes who waits where ends here.
    void distribute()
    {
        if (!backlog_.empty() || has_suspects())
            deal_out();
    }
    void deal_out();
    void deal(waiting_request& request, lane& lane);
    lane* least_busy_lane() const;
    bool has_room(const lane& lane) const;
    bool may_be_asked(const lane& lane) const;
    static bool works(const lane& lane) noexcept { return lane.trusted_ && !lane.on_probation_; }

    executor_type executor_;
    std::size_t window_;
    key_use use_;
    std::vector<lane*> lanes_; // the open ones
    request_queue backlog_;
    request_queue suspects_;
    std::size_t waiting_ = 0; // all of them, wherever
    clock::time_point received_at_;
    wait_map waits_;
    std::vector<wait_map::node_type> spare_;
    std::unordered_map<key, clock::time_point> condemned_;        // and until when
    std::unordered_map<key, clock::time_point> late_;             // keys whose late reply may come, and until when
    std::deque<std::pair<clock::time_point, key>> late_in_order_; // the same, and some that came
};

} // namespace causeway::upstream
