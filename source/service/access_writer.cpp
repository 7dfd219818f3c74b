#include "service/access_writer.hpp"

#include "service/access_line.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace causeway::service {
namespace {

using namespace std::chrono_literals;

// How long a file that is given up may still wait for its reader.
constexpr auto last_patience = 1s;

} // namespace

std::shared_ptr<access_file> access_writer::open(const std::string& path)
{
    auto file = std::make_shared<access_file>(path);
    if (!thread_)
        try {
            thread_.emplace(1);
        } catch (const std::system_error& error) {
            throw std::runtime_error(
                fmt::format("cannot start the thread of --access-log: {}; raise the limit of processes with ulimit -u, "
                            "or TasksMax= in a systemd unit",
                            error.code().message()));
        }
    return file;
}

void access_writer::use(std::shared_ptr<access_file> file)
{
    if (in_use_ && in_use_ != file)
        in_use_->hurry(last_patience);
    in_use_ = std::move(file);
}

void access_writer::write(std::shared_ptr<access_batch> batch)
{
    batch->with_writer.store(true);
    boost::asio::post(*thread_, [this, batch = std::move(batch)] {
        write_now(*batch);
        batch->size = 0;
        batch->file.reset();
        batch->with_writer.store(false);
    });
}

// On the writer's thread.
void access_writer::write_now(access_batch& batch)
{
    untold_ += std::exchange(batch.lost_before, 0);
    if (untold_ != 0 && batch.file->write(lost_lines(untold_, std::chrono::system_clock::now(), batch.format)) == 0)
        untold_ = 0;
    const auto lost = batch.file->write({batch.lines.get(), batch.size});
    batch.lost_ever.store(batch.lost_ever.load() + lost);
    untold_ += lost;
}

void access_writer::stop()
{
    use(nullptr);
    if (thread_)
        thread_->join();
}

} // namespace causeway::service
