//! The compute market's entry on Starknet: holds payments in escrow and pays them out for results that Ciro's chain verified.

#[starknet::contract]
mod JobManager {
    use ciro::interfaces::{
        ICDCPoolDispatcher, ICDCPoolDispatcherTrait, ICiroTokenDispatcher, ICiroTokenDispatcherTrait,
        IJobManager
    };
    use ciro::lane::{Handler, Lane};
    use ciro::packing::WorkerInfoPacking;
    use ciro::timelock::Timelock;
    use ciro::types::{ComputeSpec, Job, JobStatus, Progress, WorkerInfo};
    use starknet::{ContractAddress, get_block_timestamp, get_caller_address, get_contract_address};

    component!(path: Timelock, storage: timelock, event: TimelockEvent);
    component!(path: Lane, storage: lane, event: LaneEvent);
    #[abi(embed_v0)]
    impl TimelockImpl = Timelock::TimelockImpl<ContractState>;
    impl TimelockInternal = Timelock::InternalImpl<ContractState>;
    #[abi(embed_v0)]
    impl LaneImpl = Lane::LaneImpl<ContractState>;
    impl LaneInternal = Lane::InternalImpl<ContractState>;

    /// The kind of message.
    const REMOTE_RESULT: u256 = 3;
    /// Bounds of a job's duration, in seconds: ten minutes and thirty days.
    const MIN_DURATION: u32 = 600;
    const MAX_DURATION: u32 = 2592000;
    /// For how many seconds a claim keeps others away.
    const CLAIM_TERM: u64 = 3600;
    /// How often a job can be claimed. After that it is anyone's, so that idle workers cannot keep it from the others.
    const MAX_CLAIMS: u8 = 3;
    /// For how many seconds after its deadline a job still waits for a result that is on its way.
    const GRACE: u64 = 86400;
    /// Above every payment.
    const PAYMENT_LIMIT: u256 = 0x100000000000000000000000000000000;

    #[storage]
    struct Storage {
        #[substorage(v0)]
        timelock: Timelock::Storage,
        #[substorage(v0)]
        lane: Lane::Storage,
        ciro_token_address: ContractAddress,
        cdc_pool_address: ContractAddress,
        active_jobs: LegacyMap<felt252, Job>,
        worker_registry: LegacyMap<ContractAddress, WorkerInfo>,
        job_counter: felt252,
        job_payments: LegacyMap<felt252, u256>,
        total_escrow: u256,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        #[flat]
        TimelockEvent: Timelock::Event,
        #[flat]
        LaneEvent: Lane::Event,
        JobSubmitted: JobSubmitted,
        JobClaimed: JobClaimed,
        JobCompleted: JobCompleted,
        JobRefunded: JobRefunded,
    }

    #[derive(Drop, starknet::Event)]
    struct JobSubmitted {
        #[key]
        job_id: felt252,
        model_hash: u256,
        input_commitment: u256,
        compute_requirements: ComputeSpec,
        reward: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct JobClaimed {
        #[key]
        job_id: felt252,
        #[key]
        worker: ContractAddress,
        claimed_until: u64,
    }

    #[derive(Drop, starknet::Event)]
    struct JobCompleted {
        #[key]
        job_id: felt252,
        #[key]
        payee: ContractAddress,
        output_hash: u256,
        payment: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct JobRefunded {
        #[key]
        job_id: felt252,
        payment: u256,
    }

    #[constructor]
    fn constructor(
        ref self: ContractState,
        client: ContractAddress,
        token: ContractAddress,
        pool: ContractAddress,
        governor: ContractAddress,
        delay: u64
    ) {
        self.timelock.initialize(governor, delay);
        self.lane.initialize(client);
        self.ciro_token_address.write(token);
        self.cdc_pool_address.write(pool);
    }

    #[abi(embed_v0)]
    impl JobManagerImpl of IJobManager<ContractState> {
        fn submit_job(
            ref self: ContractState,
            model_hash: u256,
            input_commitment: u256,
            compute_requirements: ComputeSpec
        ) -> felt252 {
            let job_id = self.add_job(model_hash, input_commitment, compute_requirements);
            self.pull(compute_requirements.max_payment);
            job_id
        }

        fn batch_submit_jobs(
            ref self: ContractState, mut jobs: Span<(u256, u256, ComputeSpec)>
        ) -> Span<felt252> {
            let mut ids = array![];
            let mut sum = 0;
            while let Option::Some(job) = jobs.pop_front() {
                let (model_hash, input_commitment, compute_requirements) = *job;
                ids.append(self.add_job(model_hash, input_commitment, compute_requirements));
                sum += compute_requirements.max_payment;
            };
            assert(!ids.is_empty(), 'NoJobs');
            self.pull(sum);
            ids.span()
        }

        fn claim_job(ref self: ContractState, job_id: felt252) {
            let mut job = self.open_job(job_id);
            let now = get_block_timestamp();
            assert(now <= job.progress.deadline, 'DeadlinePassed');
            assert(now > job.progress.claimed_until, 'AlreadyClaimed');
            assert(job.progress.claims < MAX_CLAIMS, 'OpenToAll');
            let worker = get_caller_address();
            assert(worker != job.worker, 'ClaimedBefore');
            self.lapse(job_id, job);
            let payment = self.job_payments.read(job_id);
            let mut info = self.worker_registry.read(worker);
            info.committed += payment;
            let pool = ICDCPoolDispatcher { contract_address: self.cdc_pool_address.read() };
            assert(info.committed <= pool.active_stake(worker), 'InsufficientStake');
            self.worker_registry.write(worker, info);
            job.worker = worker;
            job.progress.claims += 1;
            job.progress.claimed_until = now + CLAIM_TERM;
            self.active_jobs.write(job_id, job);
            self.emit(JobClaimed { job_id, worker, claimed_until: job.progress.claimed_until });
        }

        fn refund(ref self: ContractState, job_id: felt252) {
            let mut job = self.open_job(job_id);
            assert(get_caller_address() == job.requester, 'NotRequester');
            assert(get_block_timestamp() > job.progress.deadline + GRACE, 'TooEarly');
            self.lapse(job_id, job);
            job.progress.status = JobStatus::Refunded;
            self.active_jobs.write(job_id, job);
            let payment = self.pay(job_id, job.requester);
            self.emit(JobRefunded { job_id, payment });
        }

        fn job(self: @ContractState, job_id: felt252) -> Job {
            self.active_jobs.read(job_id)
        }

        fn payment(self: @ContractState, job_id: felt252) -> u256 {
            self.job_payments.read(job_id)
        }

        fn job_count(self: @ContractState) -> felt252 {
            self.job_counter.read()
        }

        fn worker(self: @ContractState, worker: ContractAddress) -> WorkerInfo {
            self.worker_registry.read(worker)
        }

        fn total_escrow(self: @ContractState) -> u256 {
            self.total_escrow.read()
        }
    }

    impl RemoteResultHandler of Handler<ContractState> {
        fn kind() -> u256 {
            REMOTE_RESULT
        }

        fn length() -> u32 {
            5
        }

        fn carry_out(ref self: ContractState, nonce: u64, words: Span<u256>) {
            let (model, input_commitment, output_hash) = (*words.at(1), *words.at(2), *words.at(3));
            let job_id: felt252 = (*words.at(0)).try_into().expect('UnknownJob');
            let payee: felt252 = (*words.at(4)).try_into().expect('BadPayee');
            let payee: ContractAddress = payee.try_into().expect('BadPayee');
            assert(payee.is_non_zero(), 'BadPayee');
            let mut job = self.open_job(job_id);
            assert(model == job.model_hash, 'WrongModel');
            assert(input_commitment == job.input_commitment, 'WrongInput');
            if payee == job.worker {
                self.fulfil(job_id, payee);
            } else {
                assert(get_block_timestamp() > job.progress.claimed_until, 'ClaimedByAnother');
                self.lapse(job_id, job);
            }
            job.progress.status = JobStatus::Completed;
            job.output_hash = output_hash;
            self.active_jobs.write(job_id, job);
            let payment = self.pay(job_id, payee);
            self.emit(JobCompleted { job_id, payee, output_hash, payment });
        }
    }

    #[generate_trait]
    impl Internal of InternalTrait {
        /// Adds a job; its payment must be pulled in the same call.
        fn add_job(
            ref self: ContractState,
            model_hash: u256,
            input_commitment: u256,
            compute_requirements: ComputeSpec
        ) -> felt252 {
            check_spec(compute_requirements);
            assert(model_hash != 0, 'BadModel');
            let job_id = self.job_counter.read() + 1;
            self.job_counter.write(job_id);
            let payment = compute_requirements.max_payment;
            let job = Job {
                requester: get_caller_address(),
                model_hash,
                input_commitment,
                compute_requirements,
                progress: Progress {
                    status: JobStatus::Open,
                    claims: 0,
                    deadline: get_block_timestamp() + compute_requirements.duration.into(),
                    claimed_until: 0
                },
                worker: Zeroable::zero(),
                output_hash: 0,
            };
            self.active_jobs.write(job_id, job);
            self.job_payments.write(job_id, payment);
            self
                .emit(
                    JobSubmitted {
                        job_id, model_hash, input_commitment, compute_requirements, reward: payment
                    }
                );
            job_id
        }

        /// Takes the caller's tokens into escrow.
        fn pull(ref self: ContractState, amount: u256) {
            self.total_escrow.write(self.total_escrow.read() + amount);
            let paid = self
                .token()
                .transfer_from(get_caller_address(), get_contract_address(), amount);
            assert(paid, 'TransferFailed');
        }

        /// Pays a job's escrow out, and says how much that was.
        fn pay(ref self: ContractState, job_id: felt252, to: ContractAddress) -> u256 {
            let payment = self.job_payments.read(job_id);
            self.job_payments.write(job_id, 0);
            self.total_escrow.write(self.total_escrow.read() - payment);
            assert(self.token().transfer(to, payment), 'TransferFailed');
            payment
        }

        fn open_job(self: @ContractState, job_id: felt252) -> Job {
            let job = self.active_jobs.read(job_id);
            assert(job.progress.status != JobStatus::Unknown, 'UnknownJob');
            assert(job.progress.status == JobStatus::Open, 'JobClosed');
            job
        }

        /// Ends the claim on a job for whoever was paid for it.
        fn fulfil(ref self: ContractState, job_id: felt252, worker: ContractAddress) {
            let mut info = self.worker_registry.read(worker);
            info.committed -= self.job_payments.read(job_id);
            info.completed += 1;
            self.worker_registry.write(worker, info);
        }

        /// Ends the claim on a job, if there is one, for a worker who did not answer.
        fn lapse(ref self: ContractState, job_id: felt252, job: Job) {
            if job.worker.is_non_zero() {
                let mut info = self.worker_registry.read(job.worker);
                info.committed -= self.job_payments.read(job_id);
                info.lapsed += 1;
                self.worker_registry.write(job.worker, info);
            }
        }

        fn token(self: @ContractState) -> ICiroTokenDispatcher {
            ICiroTokenDispatcher { contract_address: self.ciro_token_address.read() }
        }
    }

    fn check_spec(spec: ComputeSpec) {
        assert(MIN_DURATION <= spec.duration && spec.duration <= MAX_DURATION, 'BadDuration');
        assert(0 < spec.max_payment && spec.max_payment < PAYMENT_LIMIT, 'BadPayment');
    }
}
