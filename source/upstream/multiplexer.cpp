#include "upstream/multiplexer.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <string>

namespace causeway::upstream {

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

void waiting_request::take_reply()
{
    if (answered_ || key_->answered.empty())
        return;
    auto& robbed = key_->answered.front();
    robbed.answered_ = false;
    robbed.key_hook::unlink();
    key_->waiting.insert(waits_for_a_key::requests::s_iterator_to(*this), robbed);
    if (queue_ != nullptr)
        robbed.move_to(*queue_, request_queue::s_iterator_to(*this));
    robbed.losses_ = losses_; // they belong to the message, and so to the place
    leave_queue();
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
    auto& waiting = request.key_->waiting;
    const bool relies_on_another = coalesces_ && !waiting.empty();
    waiting.push_back(request);
    if (relies_on_another)
        return;
    request.move_to(backlog_, backlog_.end());
    distribute();
}

void multiplexer::leave(waiting_request& request)
{
    request.key_hook::unlink();
    if (coalesces_ && request.queue_ != nullptr && !request.key_->waiting.empty())
        hand_over(request, request.key_->waiting.front());
    request.leave_queue();
    distribute();
}

// Of those that share a message the one that asked leaves: the next takes its place, or asks again if it was written.
void multiplexer::hand_over(waiting_request& leaving, waiting_request& next)
{
    next.losses_ = leaving.losses_;
    const bool on_a_wire =
        std::ranges::any_of(lanes_, [&](const lane* lane) { return leaving.queue_ == &lane->on_the_wire_; });
    auto& queue = !on_a_wire ? *leaving.queue_ : is_suspect(next) ? suspects_ : backlog_;
    next.move_to(queue, on_a_wire ? queue.begin() : request_queue::s_iterator_to(leaving));
}

void multiplexer::open(lane& lane)
{
    lanes_.push_back(&lane);
    lane.works_ = false;
    distribute();
}

std::size_t multiplexer::close(lane& lane)
{
    std::erase(lanes_, &lane);
    request_queue lost;
    lost.swap(lane.on_the_wire_);
    for (auto& request : lost) {
        request.queue_ = &lost;
        ++request.losses_;
    }
    const auto is_doomed = [](const waiting_request& request) {
        return !request.question_.repeatable || request.losses_ >= most_losses;
    };
    const auto next_doomed = [&] { return std::ranges::find_if(lost, is_doomed); };
    for (auto doomed = next_doomed(); doomed != lost.end(); doomed = next_doomed()) {
        auto& waits = *doomed->key_;
        waits.channels.fail_all(asio::error::connection_aborted);
        conclude_all(waits);
    }
    const auto written_again = lost.size();
    take_back(lane.outbox_);
    take_back(lost); // the longest waiting
    distribute();
    return written_again;
}

// To the head of the backlog, because those that had a connection came before all that is there.
void multiplexer::take_back(request_queue& requests)
{
    const auto head = backlog_.begin();
    while (!requests.empty()) {
        auto& request = requests.front();
        if (is_suspect(request))
            request.move_to(suspects_, suspects_.end());
        else
            request.move_to(backlog_, head);
    }
}

void multiplexer::distrust(lane& lane)
{
    lane.trusted_ = false;
    distribute(); // when it was the last one trusted, another may be asked now
}

void multiplexer::works(lane& lane, bool spoke)
{
    const bool news = !lane.works_ || (spoke && !lane.trusted_);
    lane.works_ = true;
    lane.trusted_ |= spoke;
    if (news)
        distribute();
}

void multiplexer::take(lane& lane, std::string& wire)
{
    const question* last_repeatable = nullptr;
    while (!lane.outbox_.empty()) {
        auto& request = lane.outbox_.front();
        wire += request.question_.bytes;
        request.written_ = true;
        if (request.question_.repeatable)
            last_repeatable = &request.question_;
        request.move_to(lane.on_the_wire_, lane.on_the_wire_.end());
    }
    if (last_repeatable != nullptr)
        lane.last_repeatable_ = last_repeatable->key;
}

bool multiplexer::deliver(lane& from, const key& key, std::string_view message)
{
    const auto found = waits_.find(key);
    if (found == waits_.end()) {
        late_.erase(key);
        return false;
    }
    auto& waits = found->second;
    bool taken = false;
    if (coalesces_) {
        taken = waits.channels.send_to_all(std::string(message));
        conclude_all(waits);
    } else {
        taken = waits.channels.send(std::string(message));
        const auto on_this_wire = [&](const waiting_request& request) { return request.queue_ == &from.on_the_wire_; };
        const auto asked = std::ranges::find_if(waits.waiting, on_this_wire);
        if (asked != waits.waiting.end())
            conclude(*asked);
    }
    distribute();
    return taken;
}

// The reply to its message has come, or there will be none: it has no place any more.
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

bool multiplexer::is_taken(const key& key, clock::time_point now)
{
    for (; !late_in_order_.empty() && late_in_order_.front().first <= now; late_in_order_.pop_front()) {
        const auto expired = late_.find(late_in_order_.front().second);
        if (expired != late_.end() && expired->second <= now)
            late_.erase(expired);
    }
    return waits_.contains(key) || late_.contains(key);
}

void multiplexer::expect_late_reply(const key& key, clock::time_point until)
{
    late_.insert_or_assign(key, until);
    late_in_order_.emplace_back(until, key);
}

std::size_t multiplexer::keys() const
{
    const auto is_waited_for = [](const auto& of_key) { return !of_key.second.waiting.empty(); };
    return static_cast<std::size_t>(std::ranges::count_if(waits_, is_waited_for));
}

// Everything that changes who waits where ends here: while there is a backlog and room, the two meet.
void multiplexer::distribute()
{
    if (!suspects_.empty())
        distribute_suspects();
    while (!backlog_.empty()) {
        auto* lane = least_busy_lane();
        if (lane == nullptr)
            return;
        deal(backlog_.front(), *lane);
    }
}

// One at a time to each connection, so that it is known which was lost with it, and none to a connection that may be
// lost for another reason.
void multiplexer::distribute_suspects()
{
    for (auto* lane : lanes_) {
        const bool has_one =
            std::ranges::any_of(lane->outbox_, is_suspect) || std::ranges::any_of(lane->on_the_wire_, is_suspect);
        if (!suspects_.empty() && lane->works_ && may_be_asked(*lane) && !has_one)
            deal(suspects_.front(), *lane);
    }
}

void multiplexer::deal(waiting_request& request, lane& lane)
{
    request.move_to(lane.outbox_, lane.outbox_.end());
    if (lane.outbox_.size() == 1)
        lane.wake_();
}

lane* multiplexer::least_busy_lane() const
{
    lane* least = nullptr;
    for (auto* lane : lanes_)
        if (may_be_asked(*lane) && (least == nullptr || lane->waiting() < least->waiting()))
            least = lane;
    return least;
}

// It has room; and if it is not trusted, no trusted one is open.
bool multiplexer::may_be_asked(const lane& lane) const
{
    return lane.waiting() < window_ && (lane.trusted_ || std::ranges::none_of(lanes_, &lane::trusted_));
}

} // namespace causeway::upstream
