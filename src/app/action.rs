//! What a person can ask for, and the views there are.

/// A key's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Pause or resume.
    TogglePause,
    /// Train this many batches, then pause.
    Step(u64),
    /// Train to the end of the epoch, then pause.
    FinishEpoch,
    /// Go back this many batches.
    Back(u64),
    /// Go back to the start of the epoch, or from there to the one before.
    BackEpoch,
    /// Rewind a run that diverged and lower its learning rate.
    Recover,
    /// Ask for a step to go to.
    AskStep,
    /// Multiply the learning rate by [`RATE_FACTOR`].
    RaiseRate,
    /// Divide it by the same.
    LowerRate,
    /// Ask for a learning rate.
    AskRate,
    /// Train more batches a second.
    Quicken,
    /// Train fewer.
    Slow,
    /// Show the breakpoints, to turn on and off.
    EditBreakpoints,
    /// Save a checkpoint now.
    Keep,
    /// Evaluate now.
    Evaluate,
    /// Ask for a breakpoint to add.
    AddBreakpoint,
    /// Turn the chosen breakpoint on or off.
    ToggleBreakpoint,
    /// Remove the chosen breakpoint.
    RemoveBreakpoint,
    /// Show this view.
    Show(View),
    /// Show the view to the right.
    NextView,
    /// Show the view to the left.
    PreviousView,
    /// Switch the loss axis between linear and logarithmic.
    ToggleLogScale,
    /// Switch the loss chart between the whole run and its last steps.
    ToggleRange,
    /// Move what is chosen in this view.
    Move(Direction),
    /// Choose this, or open it if it is chosen already.
    Choose(Target),
    /// Put the crosshair of the charts on a step.
    Point(u64),
    /// Show half or twice as many steps in the charts.
    Zoom {
        /// Whether half as many.
        closer: bool,
    },
    /// Show the confusion matrix of the epoch before.
    OlderMatrix,
    /// Show the confusion matrix of the epoch after.
    NewerMatrix,
    /// Choose the next parameter of the step.
    NextParameter,
    /// Choose the parameter before.
    PreviousParameter,
    /// Switch between few large images and many small ones.
    Enlarge,
    /// Show the loss along random directions, or along the run's own trajectory.
    SwitchPlane,
    /// Show the next list of images: the hardest, forgotten ones, suspected label errors.
    NextList,
    /// Show the batch's images before augmentation next to those after it, or no longer.
    ShowOriginals,
    /// Sort a table by its next column.
    SortByNext,
    /// Reverse the order of a table.
    ReverseOrder,
    /// Show the way of the chosen image through the network, or ask for an image there.
    LookInside,
    /// Show the image that the network does worst on.
    Hardest,
    /// Show the next explanation of what is shown: which pixels matter, the calibration, another tab.
    Explain,
    /// Ask for a file to save the view to.
    Export,
    /// Explain the next class.
    ExplainNextClass,
    /// Switch between test and training images.
    SwitchSet,
    /// Put ink down, or lift the pen.
    Pen,
    /// Put ink on a pixel of the pad, from the last one if the pen is down there already.
    Stroke {
        /// Column.
        x: u8,
        /// Row.
        y: u8,
        /// Whether the pen goes on from where it was.
        drag: bool,
    },
    /// Lift the pen after a stroke.
    EndStroke,
    /// Clear the pad.
    Clear,
    /// Take the last stroke back.
    Undo,
    /// Move and scale the drawing as MNIST's images are.
    Centre,
    /// A character for the open question.
    Type(char),
    /// Take the last character back.
    Erase,
    /// Stop the program until the shell continues it.
    Suspend,
    /// Draw the whole screen anew.
    Redraw,
    /// Show or hide the keys.
    ToggleHelp,
    /// Leave, after a question while there is something to lose.
    Quit,
    /// Answer the open question with yes, or open what is chosen.
    Confirm,
    /// Close what is open on top, or answer with no.
    Dismiss,
}

impl Action {
    /// Whether it asks the worker for something, and not the screen.
    pub fn is_about_the_run(self) -> bool {
        matches!(
            self,
            Self::TogglePause
                | Self::Step(_)
                | Self::FinishEpoch
                | Self::Back(_)
                | Self::BackEpoch
                | Self::Recover
                | Self::AskStep
                | Self::RaiseRate
                | Self::LowerRate
                | Self::AskRate
                | Self::Quicken
                | Self::Slow
                | Self::EditBreakpoints
                | Self::Keep
                | Self::Evaluate
        )
    }
}

/// A key that does nothing where it was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbound {
    /// An ASCII character.
    Ascii(char),
    /// An upper-case letter of which the lower-case one does something.
    CapsLock(char),
    /// A character of another script or layout.
    Foreign,
}

/// What one key press multiplies or divides the learning rate by.
pub const RATE_FACTOR: f64 = 1.25;

/// Where to move what is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A row up.
    Up,
    /// A row down.
    Down,
    /// A column to the left.
    Left,
    /// A column to the right.
    Right,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
}

/// One way to fill the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum View {
    /// All panes.
    #[default]
    Overview,
    /// Loss and accuracy.
    Loss,
    /// What the last step did: its digits, gradients and updates.
    Step,
    /// Confusion matrix with per-class figures.
    Confusion,
    /// An image's way through the network.
    Network,
    /// The images the network does worst on.
    Mistakes,
    /// A pad to draw on.
    Draw,
    /// Explanations of what the network does.
    Why,
    /// What the machine does.
    Machine,
}

impl View {
    /// All views in the order of their keys.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Loss,
        Self::Step,
        Self::Confusion,
        Self::Network,
        Self::Mistakes,
        Self::Draw,
        Self::Why,
        Self::Machine,
    ];

    /// Whether it has charts over the steps, on which a step can be read.
    pub(super) fn has_crosshair(self) -> bool {
        matches!(self, Self::Loss | Self::Machine)
    }

    /// One word for the header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Loss => "loss",
            Self::Step => "step",
            Self::Confusion => "confusion",
            Self::Network => "network",
            Self::Mistakes => "mistakes",
            Self::Draw => "draw",
            Self::Why => "why",
            Self::Machine => "machine",
        }
    }

    /// The view `by` places after this one in `views`; after the last comes the first.
    pub(super) fn shifted(self, by: usize, views: &[Self]) -> Self {
        let place = views.iter().position(|&view| view == self).unwrap_or_default();
        views.get((place + by) % views.len().max(1)).copied().unwrap_or(self)
    }
}

/// What the mouse can choose in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// True and predicted class of a cell of the confusion matrix.
    Cell(u8, u8),
    /// The place of an image among those of the view.
    Image(usize),
    /// The place of a stage of the network.
    Stage(usize),
    /// The place of an image among the points of the projection.
    Point(usize),
}

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Focus {
    /// To a question that is answered by typing.
    Question,
    /// To the list of breakpoints.
    Breakpoints,
    /// To a question that is answered with yes or no.
    Confirmation,
    /// To the crosshair of the charts in the loss view.
    Crosshair,
    /// To the tables of a sweep.
    Standings,
    /// To this view.
    View(View),
}

impl Focus {
    /// Whether a dialog takes the keys, and the view gets none.
    pub fn is_dialog(self) -> bool {
        matches!(self, Self::Breakpoints | Self::Confirmation)
    }
}
