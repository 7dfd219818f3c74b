#include "upstream/reply_channels.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace causeway::upstream {

reply_channels::subscription::subscription(reply_channels& channels, codes::code code)
    : channels_(channels)
    , code_(code)
    , of_code_(channels.channels_for(code))
{
    if (of_code_.empty() || of_code_.back().subscriptions == most_in_a_channel)
        of_code_.emplace_back(channels.executor_);
    channel_ = std::prev(of_code_.end());
    ++channel_->subscriptions;
}

reply_channels::subscription::~subscription()
{
    if (--channel_->subscriptions != 0)
        return;
    if (of_code_.size() == 1)
        channels_.give_back(code_);
    else
        of_code_.erase(channel_);
}

reply_channels::channels_of_a_code& reply_channels::channels_for(codes::code code)
{
    const auto found = channels_.find(code);
    if (found != channels_.end())
        return found->second;
    if (spare_.empty())
        return channels_[code];
    auto spare = std::move(spare_.back());
    spare_.pop_back();
    spare.key() = code;
    return channels_.insert(std::move(spare)).position->second;
}

void reply_channels::give_back(codes::code code)
{
    auto unused = channels_.extract(code);
    if (spare_.size() != most_spare)
        spare_.push_back(std::move(unused));
}

bool reply_channels::deliver(codes::code code, reply reply)
{
    const auto of_code = channels_.find(code);
    if (of_code == channels_.end())
        return false;
    const auto takes_it = [&reply](shared_channel& shared) {
        return shared.replies.try_send(error_code{}, std::move(reply)); // moves it only when somebody takes it
    };
    return std::ranges::any_of(of_code->second, takes_it);
}

bool reply_channels::deliver_to_all(codes::code code, const reply& reply)
{
    const auto of_code = channels_.find(code);
    if (of_code == channels_.end())
        return false;
    bool taken = false;
    for (auto& shared : of_code->second)
        while (shared.replies.try_send(error_code{}, reply))
            taken = true;
    return taken;
}

void reply_channels::close()
{
    for (auto& [code, channels] : channels_)
        for (auto& shared : channels)
            shared.replies.close();
}

} // namespace causeway::upstream
