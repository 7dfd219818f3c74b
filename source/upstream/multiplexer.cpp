#include "upstream/multiplexer.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <string>

namespace causeway::upstream {
namespace {

// Their message is the same. But only one that was lost itself does, or whose equal was to blame: if suspicion were
// passed on further, a key that is asked for all the time would stay suspect for ever.
bool makes_others_suspect(const suspicion& suspicion) { return suspicion.is_suspect() && suspicion.lost_on != nullptr; }

suspicion inherited_from(const suspicion& suspicion)
{
    return {.early_losses = suspicion.early_losses, .released = suspicion.released};
}

// When a message has survived, all others with its key are released from suspicion: one by one would take too long
// where many wait for a few keys. If they were lost again after that, the upstream may die at random, of one of many
// more probably than of one of a few. Then so many of them are released for each one that may be tried at once.
constexpr std::size_t released_once_more = 4;

} // namespace

key_in_use::key_in_use(multiplexer& multiplexer, const key& key)
    : multiplexer_(multiplexer)
    , of_key_(multiplexer.waits_for(key))
{
}

key_in_use::~key_in_use()
{
    if (of_key_.second.waiting.empty() && of_key_.second.answered.empty())
        multiplexer_.give_back(of_key_.first);
}

waiting_request::waiting_request(multiplexer& multiplexer, const upstream::question& question)
    : multiplexer_(multiplexer)
    , question_(question)
    , key_(multiplexer, question.key)
    , subscription_(key_->channels)
{
    assert((question.repeatable || multiplexer.use_ == key_use::own) && "equal questions must be repeatable");
    multiplexer_.enter(*this);
}

waiting_request::~waiting_request() { multiplexer_.leave(*this); }

void waiting_request::leave_queue()
{
    if (queue_ != nullptr)
        std::exchange(queue_, nullptr)->erase(request_queue::s_iterator_to(*this));
}

void waiting_request::move_to(request_queue& queue, request_queue::iterator before)
{
    leave_queue();
    queue.insert(before, *this);
    queue_ = &queue;
}

std::optional<writing> waiting_request::take_reply()
{
    if (answered_)
        return last_written();
    if (key_->answered.empty())
        return std::nullopt;
    auto& robbed = key_->answered.front();
    const auto written = robbed.last_written();
    robbed.answered_ = false;
    robbed.key_hook::unlink();
    key_->waiting.insert(waits_for_a_key::requests::s_iterator_to(*this), robbed);
    if (queue_ != nullptr)
        robbed.move_to(*queue_, request_queue::s_iterator_to(*this));
    robbed.suspicion_ = suspicion_; // what is known about the message stays with the place
    robbed.written_ = written_;
    robbed.place_ = place_;
    leave_queue();
    return written;
}

wait_map::value_type& multiplexer::waits_for(const key& key)
{
    const auto found = waits_.find(key);
    if (found != waits_.end())
        return *found;
    if (spare_.empty())
        return *waits_.try_emplace(key, executor_).first;
    auto spare = std::move(spare_.back());
    spare_.pop_back();
    spare.key() = key;
    return *waits_.insert(std::move(spare)).position;
}

void multiplexer::give_back(const key& key)
{
    auto unused = waits_.extract(key);
    if (spare_.size() != most_spare)
        spare_.push_back(std::move(unused));
}

void multiplexer::enter(waiting_request& request)
{
    ++waiting_;
    auto& waiting = request.key_->waiting;
    const bool relies_on_another = use_ == key_use::coalesced && !waiting.empty();
    if (!relies_on_another && !waiting.empty() && makes_others_suspect(waiting.front().suspicion_))
        request.suspicion_ = inherited_from(waiting.front().suspicion_);
    waiting.push_back(request);
    if (relies_on_another)
        return;
    auto& queue = queue_for(request);
    request.move_to(queue, queue.end());
    distribute();
}

void multiplexer::leave(waiting_request& request)
{
    --waiting_;
    request.key_hook::unlink();
    if (use_ == key_use::coalesced && request.queue_ != nullptr && !request.key_->waiting.empty())
        hand_over(request, request.key_->waiting.front());
    request.leave_queue();
    distribute();
}

// Of the requests that share a message, the one that asked leaves: the next takes its place, or asks again if it was
// written.
void multiplexer::hand_over(waiting_request& leaving, waiting_request& next)
{
    next.suspicion_ = leaving.suspicion_;
    const bool on_a_wire =
        std::ranges::any_of(lanes_, [&](const lane* lane) { return leaving.queue_ == &lane->on_the_wire_; });
    auto& queue = on_a_wire ? queue_for(next) : *leaving.queue_;
    next.move_to(queue, on_a_wire ? queue.begin() : request_queue::s_iterator_to(leaving));
}

void multiplexer::set_window(std::size_t window)
{
    window_ = window;
    distribute();
}

void multiplexer::open(lane& lane, bool on_probation)
{
    lanes_.push_back(&lane);
    lane.spoke_ = false;
    lane.on_probation_ = on_probation;
    lane.trial_size_ = 1;
    if (works(lane))
        recall();
    distribute();
}

std::size_t multiplexer::close(lane& lane, clock::time_point now)
{
    std::erase(lanes_, &lane);
    if (!has_suspects())
        survivors_.clear();
    request_queue lost;
    lost.swap(lane.on_the_wire_);
    for (auto& request : lost)
        request.queue_ = &lost;
    blame(lost, lane, now);
    const auto is_doomed = [](const waiting_request& request) {
        return !request.question_.repeatable || request.suspicion_.strikes() == most_strikes;
    };
    const auto next_doomed = [&] { return std::ranges::find_if(lost, is_doomed); };
    for (auto doomed = next_doomed(); doomed != lost.end(); doomed = next_doomed())
        fail(*doomed, now);
    const auto written_again = lost.size() + std::exchange(lane.recalled_, 0);
    take_back(lane.outbox_);
    take_back(lost); // the longest-waiting
    distribute();
    return written_again;
}

// Only a suspect may get a strike: a restart may find any message alone. And the loss of a connection on which nothing
// was received does not show that a message killed it: a proxy may have accepted it for an upstream that is away. Only
// a suspect that was tried in quiet gets a strike: otherwise an older message may have killed, more slowly than
// `blame_for`.
void multiplexer::blame(request_queue& lost, const lane& by, clock::time_point now)
{
    const auto is_recent = [&](const waiting_request& request) { return now - request.written_.at < blame_for; };
    const bool only_one = std::ranges::count_if(lost, is_recent) == 1;
    for (auto& request : lost) {
        auto& suspicion = request.suspicion_;
        suspicion.lost_on = &by;
        if (!is_recent(request))
            continue;
        ++suspicion.early_losses;
        if (suspicion.is_suspect() && only_one && by.spoke_)
            accuse(request, by);
    }
}

// The message of `suspect` was the only possible cause. That counts for all suspects with its key: if it had to kill
// anew for each of them, many that wait for it would time out first. Not if no other message has survived meanwhile,
// because then the upstream may die of anything; so the others are tried before its equals. Nor does it count for those
// on other lanes, which have trials of their own: when all connections are lost together, each loss would count for the
// others.
void multiplexer::accuse(waiting_request& suspect, const lane& by)
{
    const auto times_alone = ++suspect.suspicion_.times_alone;
    const bool something_else_survived = survivors_.has_another(suspect.question_.key);
    survivors_.clear();
    auto next = suspects_.begin();
    for (auto left = suspects_.size(); left != 0; --left) {
        auto& other = *next++;
        if (other.question_.key != suspect.question_.key)
            continue;
        other.move_to(suspects_, suspects_.end());
        if (!something_else_survived)
            continue;
        other.suspicion_.lost_on = &by;
        other.suspicion_.times_alone = std::max(other.suspicion_.times_alone, times_alone);
    }
}

// Fails it with all requests for its key: theirs is the same message.
void multiplexer::fail(waiting_request& request, clock::time_point now)
{
    auto& waits = *request.key_;
    if (use_ != key_use::own) {
        std::erase_if(condemned_, [&](const auto& of_key) { return of_key.second <= now; });
        condemned_.insert_or_assign(request.question_.key, now + condemned_for);
    }
    waits.channels.fail_all(asio::error::connection_aborted);
    conclude_all(waits);
}

// What has killed one upstream may be answered by another: it is not tried again where it was lost while another works.
bool multiplexer::is_for_another(const waiting_request& suspect, const lane& lane) const
{
    const auto works_too = [&](const auto* other) { return other != &lane && works(*other); };
    const auto& suspicion = suspect.suspicion_;
    return suspicion.needs_quiet() && suspicion.lost_on == &lane && std::ranges::any_of(lanes_, works_too);
}

const waiting_request* multiplexer::next_suspect_for(const lane& lane) const
{
    const auto is_not_for_it = [&](const waiting_request& suspect) { return is_for_another(suspect, lane); };
    const auto next = std::ranges::find_if_not(suspects_, is_not_for_it);
    return next == suspects_.end() ? nullptr : &*next;
}

bool multiplexer::may_be_tried(const waiting_request* suspect, const lane& lane)
{
    const auto may_be_to_blame = [](const auto& other) { return other.suspicion_.may_be_to_blame(); };
    return suspect != nullptr &&
           (!suspect->suspicion_.needs_quiet() || std::ranges::none_of(lane.on_the_wire_, may_be_to_blame));
}

// Suspects are tried newest first: a message that kills at once was written last. What was lost early once goes behind
// what was lost before; all others go to the head of the backlog, because requests that had a connection arrived before
// all that are there.
void multiplexer::take_back(request_queue& requests)
{
    for (auto behind = requests.end(); behind != requests.begin();) {
        auto& request = *std::prev(behind);
        if (request.suspicion_.is_suspect())
            request.move_to(suspects_, suspects_.end());
        else
            --behind;
    }
    const auto head = backlog_.begin();
    while (!requests.empty()) {
        auto& queue = queue_for(requests.front());
        requests.front().move_to(queue, &queue == &lost_ ? lost_.end() : head);
    }
}

request_queue& multiplexer::queue_for(const waiting_request& request) noexcept
{
    if (request.suspicion_.is_suspect())
        return suspects_;
    return request.suspicion_.early_losses != 0 ? lost_ : backlog_;
}

void multiplexer::distrust(lane& lane)
{
    lane.trusted_ = false;
    distribute(); // if it was the last trusted one, another may be asked now
}

void multiplexer::take_proof(lane& lane)
{
    lane.trusted_ = true;
    take_first_word(lane);
}

void multiplexer::take_first_word(lane& lane)
{
    lane.spoke_ = true;
    lane.on_probation_ = false;
    if (works(lane))
        recall();
    distribute();
}

// A connection works: requests that others have only because there was none need not wait for those. Where keys are not
// shared, written requests stay: their replies are known only on that connection.
void multiplexer::recall()
{
    for (auto* lane : lanes_) {
        if (works(*lane))
            continue;
        take_back(lane->outbox_);
        if (use_ != key_use::own) {
            lane->recalled_ += lane->on_the_wire_.size();
            take_back(lane->on_the_wire_); // the longest-waiting
        }
    }
}

void multiplexer::take(lane& lane, std::string& wire, clock::time_point now)
{
    lane.taken_last_ = 0;
    while (!lane.outbox_.empty())
        write(lane.outbox_.front(), lane, wire, now);
}

void multiplexer::write(waiting_request& request, lane& lane, std::string& wire, clock::time_point now)
{
    const auto& bytes = request.question_.bytes;
    wire += bytes;
    request.place_ = lane.taken_;
    lane.taken_ += bytes.size();
    lane.taken_last_ += bytes.size();
    ++request.times_written_;
    request.written_ = {now, &lane};
    request.move_to(lane.on_the_wire_, lane.on_the_wire_.end());
}

// The requests taken last are the last on the wire, although some of them may have left it since.
void multiplexer::put_back(lane& lane, std::size_t bytes)
{
    auto& wire = lane.on_the_wire_;
    const auto handed_over = lane.taken_ - std::min(bytes, lane.taken_last_);
    while (!wire.empty() && wire.back().place_ >= handed_over) {
        auto& request = wire.back();
        --request.times_written_;
        request.move_to(lane.outbox_, lane.outbox_.begin());
    }
}

void multiplexer::take_suspects(lane& lane, std::string& wire, clock::time_point now)
{
    lane.taken_last_ = 0;
    const auto is_not_for_it = [&](const waiting_request& suspect) { return is_for_another(suspect, lane); };
    bool is_quiet = false;
    for (std::size_t count = 0; count != lane.trial_size_ && !is_quiet && has_suspects_for(lane); ++count) {
        auto& next = *std::ranges::find_if_not(suspects_, is_not_for_it);
        is_quiet = next.suspicion_.needs_quiet();
        write(next, lane, wire, now);
    }
    distribute(); // other lanes kept room free for them
}

bool multiplexer::is_trying(const lane& lane) const
{
    const auto is_suspect = [](const waiting_request& request) { return request.suspicion_.is_suspect(); };
    return std::ranges::any_of(lane.on_the_wire_, is_suspect);
}

void multiplexer::acquit(lane& lane)
{
    for (auto& request : lane.on_the_wire_) {
        survived(request, lane);
        request.suspicion_ = {.lost_on = request.suspicion_.lost_on};
    }
    lane.trial_size_ = std::min(2 * lane.trial_size_, window_);
    distribute();
}

// Its message was answered on `lane`, or its upstream has lived on. What that shows about a suspect counts for all with
// its key that were written there, and for those that wait, which are older than what is in the backlog.
void multiplexer::survived(const waiting_request& tried, const lane& lane)
{
    if (!has_suspects())
        return;
    survivors_.add(tried.question_.key);
    if (!tried.suspicion_.is_suspect())
        return;
    const auto was_released = [](const waiting_request& request) { return request.suspicion_.released; };
    const bool once_more = std::ranges::any_of(tried.key_->waiting, was_released);
    auto to_release = once_more ? released_once_more * lane.trial_size_ : suspects_.size();
    const auto head = backlog_.begin();
    for (auto& request : tried.key_->waiting) {
        auto& suspicion = request.suspicion_;
        if (request.queue_ == &lane.on_the_wire_) {
            suspicion = {.lost_on = suspicion.lost_on};
        } else if (request.queue_ == &suspects_ && to_release != 0) {
            --to_release;
            suspicion = {.lost_on = suspicion.lost_on, .released = true};
            request.move_to(backlog_, head);
        } else if (request.queue_ == &suspects_) {
            suspicion.times_alone = 0;
        }
    }
}

bool multiplexer::deliver(lane& from, const key& key, std::string_view message)
{
    const auto found = waits_.find(key);
    if (found == waits_.end())
        return false;
    auto& waits = found->second;
    const auto on_this_wire = [&](const waiting_request& request) { return request.queue_ == &from.on_the_wire_; };
    const auto asked = std::ranges::find_if(waits.waiting, on_this_wire);
    if (use_ == key_use::own && asked == waits.waiting.end())
        return false;
    bool taken = false;
    if (use_ == key_use::coalesced) {
        taken = waits.channels.send_to_all(std::string(message));
        conclude_all(waits);
    } else {
        taken = waits.channels.send(std::string(message));
        if (asked != waits.waiting.end()) {
            survived(*asked, from);
            conclude(*asked);
        }
    }
    distribute();
    return taken;
}

// The reply to its message has arrived, or there will be none: it no longer has a place.
void multiplexer::conclude(waiting_request& request)
{
    request.leave_queue();
    request.answered_ = true;
    request.key_hook::unlink();
    request.key_->answered.push_back(request);
}

void multiplexer::conclude_all(waits_for_a_key& waits)
{
    while (!waits.waiting.empty())
        conclude(waits.waiting.front());
}

void multiplexer::fail_all(error_code error)
{
    for (auto& [key, waits] : waits_)
        waits.channels.fail_all(error);
}

waiting_requests multiplexer::waiting() const
{
    waiting_requests by_place{.backlog = backlog_.size() + lost_.size(), .suspects = suspects_.size()};
    for (const auto* lane : lanes_) {
        by_place.outbox += lane->outbox_.size();
        by_place.wire += lane->on_the_wire_.size();
    }
    by_place.shared = waiting_ - by_place.all();
    return by_place;
}

std::size_t multiplexer::keys() const
{
    const auto is_waited_for = [](const auto& of_key) { return !of_key.second.waiting.empty(); };
    return static_cast<std::size_t>(std::ranges::count_if(waits_, is_waited_for));
}

// Writers fetch suspects themselves.
void multiplexer::distribute_lost()
{
    for (auto* lane : lanes_)
        if (has_suspects_for(*lane))
            lane->wake_();
    deal_out(lost_, false);
}

// Moves requests from `queue` to lanes while there is room.
void multiplexer::deal_out(request_queue& queue, bool also_on_probation)
{
    while (!queue.empty()) {
        auto* lane = least_busy_lane(also_on_probation);
        if (lane == nullptr)
            return;
        deal(queue.front(), *lane);
    }
}

void multiplexer::deal(waiting_request& request, lane& lane)
{
    request.move_to(lane.outbox_, lane.outbox_.end());
    if (lane.outbox_.size() == 1)
        lane.wake_();
}

lane* multiplexer::least_busy_lane(bool also_on_probation) const
{
    lane* least = nullptr;
    for (auto* lane : lanes_) {
        const bool may_have_it = has_room(*lane) && (also_on_probation || !lane->on_probation_);
        if (may_have_it && (least == nullptr || lane->waiting() < least->waiting()))
            least = lane;
    }
    return least;
}

// A probe takes a place like a request. While suspects may be tried, room for the next trial is kept free: with a
// constant backlog they would find none. If there is no probe to show whether a connection works, one request at a time
// does.
bool multiplexer::has_room(const lane& lane) const
{
    const bool may_try = has_suspects() && may_be_tried(next_suspect_for(lane), lane);
    const auto for_a_trial = may_try ? std::min(lane.trial_size_, suspects_.size()) : 0;
    const auto kept_free = lane.on_probation_ ? 1 : for_a_trial;
    const bool asks_whether_it_works = !lane.on_probation_ && lane.waiting() == 0;
    return (may_be_asked(lane) || asks_whether_it_works) && lane.waiting() + kept_free < window_;
}

// Its window is not full; and it has shown that it works, or no other has.
bool multiplexer::may_be_asked(const lane& lane) const
{
    const auto works_too = [](const auto* open) { return works(*open); };
    return lane.waiting() < window_ && (works(lane) || std::ranges::none_of(lanes_, works_too));
}

} // namespace causeway::upstream
