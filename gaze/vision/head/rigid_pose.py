"""Hold a head's rotation and position, and move it."""

from dataclasses import dataclass

from gaze.vision.arrays import FloatArray
from gaze.vision.head.pose import Pose
from gaze.vision.kernels.linear_algebra import rotate
from gaze.vision.kernels.rigid_motion import angle_between_deg


@dataclass(frozen=True, slots=True)
class RigidPose:
    """A head's rotation and position in camera space.

    Attributes
    ----------
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    eyes_mm : FloatArray, shape (3,)
        The point between the eyes.
    focal_px : float
        The focal length that they are computed with.
    """

    rotation: FloatArray
    eyes_mm: FloatArray
    focal_px: float

    @classmethod
    def from_pose(cls, pose: Pose) -> "RigidPose":
        """Return the pose as the face mesh gives it, not stabilized.

        Parameters
        ----------
        pose : Pose

        Returns
        -------
        RigidPose
        """
        return cls(pose.rotation, pose.pnp_eyes_mm, pose.focal_px)

    def moved(self, change: FloatArray) -> "RigidPose":
        """Return the pose after a motion.

        Parameters
        ----------
        change : FloatArray, shape (6,)
            Rotation vector in radians and translation in millimetres, in camera axes.

        Returns
        -------
        RigidPose
        """
        rotation = rotate(self.rotation, change[:3])
        return RigidPose(rotation, self.eyes_mm + change[3:], self.focal_px)

    def angle_to_deg(self, rotation: FloatArray) -> float:
        """Return the angle to another rotation.

        Parameters
        ----------
        rotation : FloatArray, shape (3, 3)

        Returns
        -------
        float
            In degrees.
        """
        return angle_between_deg(self.rotation, rotation)
